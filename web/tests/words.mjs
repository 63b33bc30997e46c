// The words a person would look for, in both languages.
export const WORDS = {
  zh: {
    sign_up: '开立账户', name: '姓名', phone: '手机号', create: '创建通行密钥并开户', receive: '收款', pay: '付款', withdraw: '转出', home: '首页',
    add_contact: '添加联系人', payee_name: '对方户名', payee_account: '对方账号', bank: '开户行', save: '保存', amount: '付款金额', review: '核对', confirm: /确认/, undo: '撤销这笔转出',
    start: '新的转出', next: '下一步', verify: '立即验证', receipt: '查看凭证', settled: '已到账', cancelled: '已撤销', totp: '设置动态验证码', totp_code: '输入应用显示的 6 位数字', turn_on: '启用', lock: '全部锁定', unlock: '用通行密钥解锁',
    why: '为什么冻结？', close: '关闭', hide: '隐藏金额', sign_out: '退出登录', sign_in_key: '用通行密钥登录', add_passkey: '添加通行密钥', clear: '清除筛选', paste: '二维码内容', use: '识别', held: '冻结金额', search: '搜索户名、附言或金额', nothing: '没有符合条件的明细', offline: /连不上银行/,
  },
  en: {
    sign_up: 'Open an account', name: 'Full name', phone: 'Mobile number', create: 'Create passkey and open account', receive: 'Receive', pay: 'Pay', withdraw: 'Withdraw', home: 'Home',
    add_contact: 'Add contact', payee_name: 'Payee’s name', payee_account: 'Payee’s account', bank: 'Bank', save: 'Save', amount: 'Amount to pay', review: 'Review', confirm: /Confirm/, undo: 'Undo this withdrawal',
    start: 'New withdrawal', next: 'Next', verify: 'Verify now', receipt: 'Open receipt', settled: 'Settled', cancelled: 'Undone', totp: 'Set up one-time codes', totp_code: 'The 6 digits your app shows', turn_on: 'Turn on', lock: 'Lock everything', unlock: 'Unlock with passkey',
    why: 'Why is it held?', close: 'Close', hide: 'Hide amounts', sign_out: 'Sign out', sign_in_key: 'Sign in with a passkey', add_passkey: 'Add a passkey', clear: 'Clear filters', paste: 'Text of the code', use: 'Read it', held: 'Held', search: 'Search name, note or amount', nothing: 'No movement matches', offline: /Cannot reach the bank/,
  },
}
