export default {
  app: { name: '金库控制台', skip: '跳到正文', nav: '主导航', out: '退出', operator: '操作员 {name}', dark: '深色', light: '浅色', auto: '跟随系统', theme: '外观', language: '语言', updated: '读取于 {time}', refresh: '刷新' },
  nav: { markets: '市场', proposals: '提案', surveillance: '监察', prices: '价格来源', convert: '兑换台' },
  sign: { title: '操作员登录', name: '你的姓名', name_hint: '四眼原则按姓名区分，请填写真实姓名。', token: '操作员令牌', token_hint: '只保存在这个页面的内存里，关闭即忘记。', go: '登录', need_name: '请填写姓名', need_token: '请填写令牌', lost: '令牌不再有效，请重新登录。' },
  table: { search: '筛选', csv: '导出 CSV', none: '没有记录', count: '共 {n} 条' },
  act: { cancel: '取消', close: '关闭', confirm: '确认', details: '详情' },
  word: { market: '市场', state: '状态', until: '至', reference: '参考价', last: '最新价', band: '报价范围', halt: '熔断范围', seats: '席位', orders: '挂单', price: '价格', quantity: '数量', order: '委托', seat: '席位号', shown: '显示数量', at: '时间', owner: '所有者', by: '提出人', reason: '原因', none: '无', yes: '是', no: '否', side: '方向', number: '编号', buy: '买入', sell: '卖出' },
  phase: { open: '交易中', closed: '休市', call: '集合竞价', suspended: '已暂停', halt: '价格波动过大', opening: '开盘', closing: '收盘', resumption: '恢复交易' },
  market: {
    title: '市场', one: '市场 {pair}', suspend: '暂停市场', suspend_text: '立即停止成交，不再受理新委托；客户可以撤单。恢复需要另一位操作员批准。', why: '原因（写入日志）', need_why: '请写明原因', suspended: '市场已暂停', resume: '提议恢复', resume_text: '提交后由另一位操作员批准，批准后先集合竞价再连续交易。', proposed: '提案已提交，等待另一位操作员批准',
    tabs: { book: '订单簿（逐笔）', seats: '席位', rules: '规则' }, book_text: '逐笔列出每个价位的排队顺序，先到在前。', ahead: '排位', bids: '买盘', asks: '卖盘', stop: '停用席位', free: '恢复席位', stop_title: '停用席位 {seat}？', stop_text: '撤销它的全部挂单并拒绝新委托，直到恢复。', stopped: '席位已停用', freed: '席位已恢复', is_stopped: '已停用', is_free: '正常',
  },
  rules: {
    title: '修改规则', lead: '修改以提案提交，由另一位操作员批准，在指定时间生效。', from: '生效时间', propose: '提交提案', same: '没有改动', changes: '改动 {n} 项', field: '规则', before: '现行', after: '提议',
    fields: { lot: '数量单位', tick: '价格单位', quantity_max: '单笔最大数量', min_notional: '单笔最小金额', maker_ppm: '挂单费率（百万分之）', taker_ppm: '吃单费率（百万分之）', band_bps: '报价范围（基点）', halt_bps: '熔断幅度（基点）', reference_ms: '参考价有效（毫秒）', call_ms: '熔断后集合竞价（毫秒）', open_orders_max: '每席位最多挂单' },
    faults: { number: '请填写数字', whole: '请填写整数', positive: '必须大于零', rebate: '返佣不能超过吃单费', half: '费率不能超过一半', band: '必须小于 10,000 基点', halt: '不能大于报价范围', lots: '必须是数量单位的整数倍', fixed: '市场开设后不能更改' }, need_from: '请选择将来的时间',
  },
  proposal: { title: '提案', lead: '每个提案需要另一位操作员批准。看清改动再决定。', rules: '修改规则', resume: '恢复交易', approve: '批准', withdraw: '撤回', own: '这是你提出的，需要另一位操作员批准。', approve_title: '批准提案 {n}？', withdraw_title: '撤回提案 {n}？', approved: '已批准', withdrawn: '已撤回', none: '没有待批准的提案', none_text: '修改规则或恢复市场时，提案会出现在这里。', takes_effect: '生效时间 {time}', raw: '原始内容', resume_text: '市场从暂停恢复：先集合竞价，再连续交易。', waiting: '等待批准' },
  watch: { title: '监察提示', lead: '提示不是结论：请看证据再判断。', wash: '疑似对敲', spoof: '疑似虚假申报', momentum: '疑似追涨杀跌诱导', kind: '类型', score: '分数', evidence: '证据', what: '事件', span: '时段', none: '没有提示' },
  price: { title: '价格来源', mid: '中间价', bid: '买价', ask: '卖价', source: '来源', good: '正常', held: '沿用上次', stale: '过期', nothing: '没有价格', used: '采用', jump: '跳变，未采用', away: '断开', pair: '货币对' },
  convert: { title: '兑换台', terms: '条款', inventory: '库存', offers: '未到期报价', hedges: '对冲', least: '最小金额', lock: '锁价（毫秒）', fee: '费率（百万分之）', spread: '最大价差（百万分之）', skew: '库存倾斜（百万分之）', target: '目标库存', asset: '币种', held: '持有', offered: '已报价', customer: '客户', pays: '支付', takes: '得到', expires: '到期' },
  error: { unreachable: '连不上银行，请检查网络后刷新。', token: '令牌不被接受。请核对后再试。', other: '没有办成：{detail}', reference: '查询号 {reference}' },
}
