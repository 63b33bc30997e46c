import markets from './zh-markets'
import { problem, rail } from './zh-problems'

export default {
  app: { name: '金库', skip: '跳到正文' },
  tab: { bar: '主导航', home: '首页', pay: '支付', assets: '资产', me: '我的' },
  act: {
    back: '返回', close: '关闭', cancel: '取消', next: '下一步', retry: '重试', save: '保存',
    remove: '移除', delete: '删除', copy: '复制', copied: '已复制', more: '显示更多',
    show_amounts: '显示金额', hide_amounts: '隐藏金额',
  },
  word: {
    available: '可用余额', held: '冻结金额', posted: '账面余额', in: '收入', out: '支出', amount: '金额', fee: '手续费', total: '合计扣款',
    name: '户名', account: '账号', bank: '开户行', note: '附言', optional: '选填', date: '日期', reference: '查询号', free: '免费',
    hidden: '金额已隐藏', verified: '户名已核验', not_verified: '户名未核验', mismatch: '户名与账号不符', own_bank: '本行', from: '付款账户',
    zone: '时间均按本机时区 {zone} 显示', balance_after: '变动后余额', loading: '正在读取…',
  },
  welcome: {
    title: '把钱放在看得清的地方', lead: '每一笔都有凭证，凭证能在你自己的手机上验证。',
    point1: '用通行密钥登录，没有密码可以被骗走', point2: '转出可以撤销，倒计时看得见', point3: '余额分清可用与冻结，说明原因',
    sign_up: '开立账户', sign_in: '登录', ended: '登录已过期，请重新登录。草稿已清除，账户里的钱没有变化。',
  },
  signup: {
    title: '开立账户', lead: '填好后，用指纹、面容或设备密码创建通行密钥。', name: '姓名', name_hint: '与身份证件一致',
    phone: '手机号', phone_hint: '含国家代码，例如 +86 138 0000 0000', submit: '创建通行密钥并开户', working: '请在系统弹窗中确认…',
    finishing: '正在开立账户…', why: '通行密钥保存在这台设备或你的密钥管理器里，银行只有公钥，无法冒用。',
  },
  signin: {
    title: '登录', lead: '用这台设备上的通行密钥登录。', passkey: '用通行密钥登录', working: '请在系统弹窗中确认…',
    totp: '用动态验证码登录', totp_lead: '仅限已绑定的设备；登录后只能办理小额支付。', code: '6 位验证码', submit: '登录', no_account: '还没有账户？',
  },
  home: {
    greeting: '{name}，你好', total: '账面余额', actions: '常用功能', receive: '收款', pay: '付款', withdraw: '转出', contacts: '联系人', convert: '兑换', markets: '行情',
    recent: '最近明细', see_all: '全部明细', chart: '近 30 天余额',
    empty_title: '还没有任何明细', empty_text: '把收款信息发给对方，到账后一秒内会显示在这里。', empty_action: '查看收款信息',
    why_held: '为什么冻结？', notices: '提示', notice_totp: '还没有设置动态验证码。手机丢失时，可凭它在另一台已绑定的设备上登录并锁定账户。',
    notice_totp_action: '去设置', notice_small: '当前用动态验证码登录，只能办理小额支付。', notice_locked: '账户已锁定，暂不能付款。', notice_unlock: '去解锁',
    notice_rail: '{rail}当前{state}，受影响的付款会在恢复后办理。',
  },
  railstate: { closed: '未到营业时间', down: '暂停服务', open: '正常' },
  offline: { text: '连不上银行，显示的是 {time} 的数据', retry: '重新连接' },
  state: {
    in_transit: '在途', settled: '已到账', waiting: '等待中', sending: '发送中', sent: '已发出', confirmed: '对方已确认',
    cancelled: '已撤销', rejected: '已拒绝', returned: '已退回', in_review: '人工核查中',
  },
  kind: {
    deposit: '他行汇入', transfer_in: '行内收款', transfer_out: '行内付款', withdrawal: '转出他行', fee: '手续费', return: '退款', adjustment: '调整', trade: '市场成交', convert: '兑换', pool: '资金池',
  },
  rails: { internal: '行内转账', instant: '即时支付系统', high_value: '大额支付系统' },
  undo: {
    title: '可撤销', button: '撤销这笔转出', after: '倒计时结束后立即发往对方银行，届时不能再撤销。',
    over: '撤销时间已过，正在发往对方银行', working: '正在撤销…', done: '已撤销，{amount} 已回到可用余额', to: '转给 {name}', label: '撤销剩余时间',
  },
  assets: {
    title: '资产', accounts: '账户', detail: '账户详情', opened: '开户日期', number: '账号', spending: '每周收支',
    week: '周', chart_empty: '还没有收支记录。', all_available: '全部可用，没有冻结。', copy_number: '复制账号',
    explain: '账面余额 = 可用余额 + 冻结金额', trade: '兑换与交易', convert_text: '锁定价格，一步成交', markets_text: '行情、挂单、成交',
  },
  hold: {
    title: '冻结明细', lead: '冻结的钱仍在你的账户里，只是暂时不能动用。', withdrawal_undo: '转出等待撤销期', withdrawal_undo_why: '你提交了一笔转出，撤销期内先冻结，期满才发出。',
    withdrawal_sending: '转出发送中', withdrawal_sending_why: '已发往对方银行，等待对方答复；被拒会立即解冻。', until: '最晚到 {time}', open: '查看这笔付款',
    no_end: '以对方银行答复为准', empty: '没有冻结的金额', placed: '冻结于 {time}',
  },
  receive: {
    title: '收款', lead: '把以下信息发给付款人，或请对方扫描二维码。', qr: '收款二维码', copy_all: '复制全部收款信息', fast: '即时支付系统 7×24 小时，到账后一秒内显示。', bank_code: '行号',
  },
  pay: {
    title: '付款', to: '付给谁', search: '搜索联系人', new: '输入账号', scan: '扫码或粘贴', contacts: '联系人', none: '还没有联系人',
    none_text: '付款后可以把对方存为联系人，也可以现在输入账号。', no_match: '没有找到“{q}”', last: '上次付款 {date}', never: '未付过款', tail: '尾号 {digits}',
  },
  payee: {
    title: '收款人', withdraw_title: '转出到他行', lead: '请按对方提供的内容填写，户名要完整。', name: '对方户名', account: '对方账号', bank: '开户行', choose_bank: '请选择开户行',
    save: '存为联系人', submit: '下一步', account_hint: '6 至 34 位数字，有字母也照填', need_name: '请填写对方户名', need_account: '请填写 6 至 34 位的对方账号', need_bank: '请选择开户行', ours: '（本行）',
  },
  scan: {
    title: '扫码', lead: '把二维码放进取景框', starting: '正在打开相机…', denied: '没有相机权限。可以在系统设置里允许，或粘贴二维码内容。',
    missing: '这台设备没有可用的相机，请粘贴二维码内容。', paste: '二维码内容', paste_hint: '把对方发来的收款码文字粘贴到这里', use: '识别', reading: '正在识别…', view: '相机画面',
  },
  amount: {
    title: '金额', to: '付给 {name}', label: '付款金额', pad: '数字键盘', back: '退格', point: '小数点', note: '附言', note_hint: '对方能看到，最多 60 字',
    next: '核对', over: '超过可用余额 {amount}', previewing: '正在核对收款人和费用…', clear: '清空',
  },
  review: {
    title: '核对', payee: '收款人', arrives_amount: '对方收到', arrives: '到账时间', at_once: '立即到账', seconds: '约 {n} 秒内到账', at: '预计 {time} 到账', route: '办理方式',
    same_bank: '双方都在本行，直接记账', below_instant_ceiling: '金额在即时支付上限以内，最快', above_instant_ceiling: '金额超过即时支付上限，改走大额支付系统',
    undo: '能否撤销', undo_yes: '提交后 {time}内可以撤销，之后发出', undo_no: '提交后立即到账，不能撤销', undo_later: '发出后仍可申请撤回，能否撤回由对方银行决定',
    confirm_passkey: '用通行密钥确认', confirm_plain: '确认付款', signing: '请在系统弹窗中确认…', sending: '正在提交付款…', expires: '本次核对有效至 {time}',
    expired: '核对已过期，请重新核对', again: '重新核对', mismatch_warn: '银行登记的户名是 {name}，与你填写的不同。请联系对方核实后再付款。',
    unverified_warn: '对方银行不提供付款前核验。请确认户名和账号都正确。', verified_text: '银行登记：{name}', small: '{amount} 以内的小额支付，无需通行密钥',
    lost: '网络断开，不确定是否已提交。点“再次提交”不会重复付款。', resubmit: '再次提交', change: '修改收款人',
  },
  result: {
    title: '付款进度', paid: '付给 {name}', home: '回到首页', reason: '原因', track: '办理进度', receipt: '查看凭证', live: '状态实时更新',
    money_back: '{amount} 已回到可用余额', wait_review: '银行人员正在核查，结果会显示在这里。',
  },
  step: {
    requested: '已提交', checked: '已核对', waiting: '等待撤销期', sent: '已发往对方银行', confirmed: '对方已确认', settled: '已结清', cancelled: '已撤销', rejected: '被拒绝', returned: '已退回',
    todo: '未到', done: '完成', failed: '未通过',
  },
  withdraw: {
    title: '转出', lead: '把钱转到你在其他银行的账户，或付给他行的人。', open: '进行中的转出', none: '没有进行中的转出', none_text: '提交后先进入撤销期，期满才发出。', start: '新的转出',
    how: '提交后先冻结，撤销期内点一下即可撤回；期满才发往对方银行，由对方银行答复后结清。',
  },
  movements: {
    title: '明细', search: '搜索户名、附言或金额', direction: '收支', all: '全部', in: '收入', out: '支出', from: '开始日期', to: '结束日期', download: '下载对账单（CSV）', filter: '按日期筛选', clear: '清除筛选',
    none: '没有符合条件的明细', none_text: '换个关键词，或清除筛选条件。', end: '已经到底了', loading: '正在读取更多…', today: '今天', yesterday: '昨天', count: '已显示 {n} 条',
  },
  movement: {
    title: '凭证', about: '内容', note_convert: '{paid} {from} 换 {got} {to}', note_buy: '以 {price} {quote} 买入 {quantity} {base}', note_sell: '以 {price} {quote} 卖出 {quantity} {base}', recorded: '入账时间', effective: '生效时间', counterparty: '对方', entry: '入账编号', payment: '查看付款进度', state_in_transit: '在途：已离开可用余额，等待对方银行答复',
    state_settled: '已入账', pay_again: '再次付给 {name}',
  },
  verify: {
    title: '这张凭证可以自证', lead: '验证在你的浏览器里完成，不需要相信我们的页面。', button: '立即验证', working: '正在验证…', again: '再验证一次', ok: '验证通过：这笔入账已写入公开日志，无法悄悄更改。',
    bad: '验证未通过。请勿据此付款或收货，并把查询号告诉银行。', not_ready: '凭证正在生成，通常不到两秒。', format: '凭证格式完整', leaf: '入账内容与凭证一致', inclusion: '已收录在银行日志中', checkpoint: '日志由银行签名',
    passed: '通过', failed: '未通过', pending: '待验证', download: '下载凭证文件', key: '验证公钥',
  },
  contacts: {
    title: '联系人', add: '添加联系人', search: '搜索联系人', none: '还没有联系人', none_text: '添加后付款更快，银行会核验户名。', delete_title: '删除联系人？', delete_text: '只删除“{name}”这条记录，不影响已办理的付款。', deleted: '已删除 {name}', added: '已添加 {name}', pay: '付款给 {name}', menu: '删除 {name}',
  },
  limits: {
    title: '限额', lead: '限额由银行按你的等级设定。', single: '单笔', day: '今日', month: '本月', year: '本年', used: '已用 {amount}', remaining: '还可用 {amount}', cap: '上限 {amount}', none: '不限',
    small: '免通行密钥小额', small_text: '不超过 {amount} 的付款不需要通行密钥。', undo: '转出撤销期', undo_text: '{amount} 及以上的转出有撤销期。', bar: '{period}限额已用 {percent}%',
    grade: '当前等级', basic: '基础', verified: '已核实', full: '完全',
  },
  security: {
    title: '安全中心', devices: '设备', this_device: '当前设备', last_seen: '最近使用 {time}', bound: '绑定于 {time}', block: '停用这台设备', blocked: '已停用', block_title: '停用“{name}”？', block_text: '它会立即退出登录，并且不能再办理任何业务。',
    add_passkey: '添加通行密钥', passkey_name: '给它起个名字', passkey_default: '备用通行密钥', never_used: '未使用过', used: '最近使用 {time}', backed_up: '已同步备份', not_backed_up: '仅存于一处', remove_passkey: '移除“{name}”？', remove_passkey_text: '移除后不能再用它登录或确认付款。',
    totp: '动态验证码', totp_on: '已启用', totp_off: '未启用', totp_text: '备用登录方式。通行密钥不在身边时，可在已绑定设备上登录办理小额支付。', totp_start: '设置动态验证码', totp_remove: '停用动态验证码', totp_scan: '用验证器应用扫描二维码，或输入密钥：', totp_qr: '动态验证码设置二维码', totp_code: '输入应用显示的 6 位数字', totp_confirm: '启用', totp_done: '动态验证码已启用', totp_removed: '动态验证码已停用', totp_remove_title: '停用动态验证码？', totp_remove_text: '停用后只能用通行密钥登录。',
    lock: '全部锁定', lock_text: '手机丢失或怀疑被盗用时：一键退出所有设备、停用其他设备、停止一切付款。钱仍在账户里，可照常收款。之后用这台设备的通行密钥登录并解锁。', lock_title: '现在锁定全部？', lock_confirm: '全部锁定', lock_done: '已全部锁定', locked_title: '账户已锁定', locked_text: '其他设备已停用，付款已停止。收款不受影响。', unlock: '用通行密钥解锁', unlocked: '已解锁', added: '通行密钥已添加', removed: '通行密钥已移除', device_blocked: '设备已停用',
    lock_signin: '请用执行锁定的那台设备上的通行密钥登录，再到安全中心解锁；那台设备没有通行密钥时，可用其他设备上的。',
  },
  me: {
    title: '我的', security: '安全中心', security_text: '设备、通行密钥、一键锁定', limits: '限额', contacts: '联系人', settings: '设置', statements: '明细与对账单', sign_out: '退出登录', sign_out_title: '退出登录？', sign_out_text: '本机保存的余额与草稿会清除。', grade: '{grade}等级', receive: '收款信息',
  },
  settings: {
    title: '设置', language: '语言', zh: '中文', en: 'English', hide: '隐藏金额', hide_text: '在公共场合保护隐私，点首页的眼睛也可切换。', theme: '外观', auto: '跟随系统', light: '浅色', dark: '深色', zone: '时区', about: '关于', version: '版本 {version}',
    install: '安装到主屏幕', install_text: '像应用一样打开，断网时也能看到最近的余额。',
  },
  duration: { seconds: '{n} 秒', minutes: '{n} 分钟' },
  chart: { balance: '余额走势图', spending: '每周收支柱状图', date: '日期', balance_col: '余额', show_table: '查看表格', hide_table: '收起表格', high: '最高', low: '最低', ...markets.chart },
  load: { home: '正在读取余额和明细…', movements: '正在读取明细…', payment: '正在读取付款…', contacts: '正在读取联系人…', limits: '正在读取限额…', security: '正在读取设备和通行密钥…', receive: '正在读取收款信息…', assets: '正在读取账户…', ...markets.load },
  notfound: { title: '没有这个页面', text: '地址可能有误，或内容已不存在。' },
  market: markets.market,
  phase: markets.phase,
  book: markets.book,
  ticket: markets.ticket,
  orders: markets.orders,
  convert: markets.convert,
  accounts: markets.accounts,
  problem,
  rail,
}
