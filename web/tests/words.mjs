// The words a person would look for, in both languages.
export const WORDS = {
  zh: {
    sign_up: '开立账户', name: '姓名', phone: '手机号', create: '创建通行密钥并开户', receive: '收款', pay: '付款', withdraw: '转出', home: '首页',
    add_contact: '添加联系人', payee_name: '对方户名', payee_account: '对方账号', bank: '开户行', save: '保存', amount: '付款金额', review: '核对', confirm: /确认/, undo: '撤销这笔转出',
    start: '新的转出', next: '下一步', verify: '立即验证', receipt: '查看凭证', settled: '已到账', cancelled: '已撤销', totp: '设置动态验证码', totp_code: '输入应用显示的 6 位数字', turn_on: '启用', lock: '全部锁定', unlock: '用通行密钥解锁',
    why: '为什么冻结？', close: '关闭', hide: '隐藏金额', sign_out: '退出登录', sign_in_key: '用通行密钥登录', add_passkey: '添加通行密钥', clear: '清除筛选', paste: '二维码内容', use: '识别', held: '冻结金额', search: '搜索户名、附言或金额', nothing: '没有符合条件的明细', offline: /连不上银行/,
    new_account: '开立其他币种账户', open_btc: '开立 BTC 账户', firm: '获取报价', get_btc: /我要得到 BTC/, buy_btc: '买入 BTC', sell_btc: '卖出 BTC', limit: '限价', price: /^价格，单位/, quantity: /^数量，单位/, budget: /^金额，单位/, market_order: '市价', by_budget: /按金额/, preview: '预览', orders_all: '全部委托', history: '历史', fills: '成交', stop_trading: '停止我的交易', trade_again: '恢复交易', cancel_all: '全部撤单', reduce_by: /减少多少/, reduce: '减少数量', move_to: /新价格/, move: '修改价格', depth: '深度图', trades: '最新成交', table: '查看表格', more: '更多设置', search_market: /搜索市场/, close_sheet: '关闭', other_types: '更多', home_convert: '兑换', home_markets: '行情', see_orders: '查看委托', end_plan: '结束',
  },
  en: {
    sign_up: 'Open an account', name: 'Full name', phone: 'Mobile number', create: 'Create passkey and open account', receive: 'Receive', pay: 'Pay', withdraw: 'Withdraw', home: 'Home',
    add_contact: 'Add contact', payee_name: 'Payee’s name', payee_account: 'Payee’s account', bank: 'Bank', save: 'Save', amount: 'Amount to pay', review: 'Review', confirm: /Confirm/, undo: 'Undo this withdrawal',
    start: 'New withdrawal', next: 'Next', verify: 'Verify now', receipt: 'Open receipt', settled: 'Settled', cancelled: 'Undone', totp: 'Set up one-time codes', totp_code: 'The 6 digits your app shows', turn_on: 'Turn on', lock: 'Lock everything', unlock: 'Unlock with passkey',
    why: 'Why is it held?', close: 'Close', hide: 'Hide amounts', sign_out: 'Sign out', sign_in_key: 'Sign in with a passkey', add_passkey: 'Add a passkey', clear: 'Clear filters', paste: 'Text of the code', use: 'Read it', held: 'Held', search: 'Search name, note or amount', nothing: 'No movement matches', offline: /Cannot reach the bank/,
    new_account: 'Open an account in another asset', open_btc: 'Open an account in BTC', firm: 'Get a firm price', get_btc: /Get BTC/, buy_btc: 'Buy BTC', sell_btc: 'Sell BTC', limit: 'Limit', price: /^Price in/, quantity: /^Quantity in/, budget: /^Budget in/, market_order: 'Market', by_budget: /By budget/, preview: 'Preview', orders_all: 'All orders', history: 'History', fills: 'Fills', stop_trading: 'Stop my trading', trade_again: 'Trade again', cancel_all: 'Cancel all', reduce_by: /Reduce by/, reduce: 'Reduce', move_to: /New price/, move: 'Move', depth: 'Depth', trades: 'Last trades', table: 'Show table', more: 'More settings', search_market: /Search markets/, close_sheet: 'Close', other_types: 'More', home_convert: 'Convert', home_markets: 'Markets', see_orders: 'See your orders', end_plan: 'End',
  },
}
