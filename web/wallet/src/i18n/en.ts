import markets from './en-markets'
import { problem, rail } from './en-problems'
import type zh from './zh'

const en: typeof zh = {
  app: { name: 'Jinku', skip: 'Skip to content' },
  tab: { bar: 'Main navigation', home: 'Home', pay: 'Pay', assets: 'Assets', me: 'Me' },
  act: {
    back: 'Back', close: 'Close', cancel: 'Cancel', next: 'Next', retry: 'Try again', save: 'Save',
    remove: 'Remove', delete: 'Delete', copy: 'Copy', copied: 'Copied', more: 'Show more',
    show_amounts: 'Show amounts', hide_amounts: 'Hide amounts',
  },
  word: {
    available: 'Available', held: 'Held', posted: 'Balance', in: 'Money in', out: 'Money out', amount: 'Amount', fee: 'Fee', total: 'Total debited',
    name: 'Name', account: 'Account number', bank: 'Bank', note: 'Note', optional: 'optional', date: 'Date', reference: 'Reference', free: 'Free',
    hidden: 'Amount hidden', verified: 'Name verified', not_verified: 'Name not verified', mismatch: 'Name does not match', own_bank: 'Our bank', from: 'Paid from',
    zone: 'Times are shown in this device’s zone, {zone}', balance_after: 'Balance after', loading: 'Loading…',
  },
  welcome: {
    title: 'Keep your money where you can see it', lead: 'Every movement has a receipt, and your own phone can check it.',
    point1: 'Sign in with a passkey: no password to be tricked out of', point2: 'Undo a withdrawal while its clock runs', point3: 'Available and held are kept apart, with the reason',
    sign_up: 'Open an account', sign_in: 'Sign in', ended: 'Your session ended, please sign in again. Drafts were cleared; your money is unchanged.',
  },
  signup: {
    title: 'Open an account', lead: 'Then create a passkey with your finger, face or screen lock.', name: 'Full name', name_hint: 'As on your identity document',
    phone: 'Mobile number', phone_hint: 'With country code, e.g. +86 138 0000 0000', submit: 'Create passkey and open account', working: 'Please confirm in the system prompt…',
    finishing: 'Opening your account…', why: 'The passkey stays on this device or in your key manager. The bank holds only its public half and cannot sign for you.',
  },
  signin: {
    title: 'Sign in', lead: 'Use a passkey from this device.', passkey: 'Sign in with a passkey', working: 'Please confirm in the system prompt…',
    totp: 'Sign in with a one-time code', totp_lead: 'Only on a device already bound; small payments only.', code: '6-digit code', submit: 'Sign in', no_account: 'No account yet?',
  },
  home: {
    greeting: 'Hello, {name}', total: 'Balance', actions: 'Quick actions', receive: 'Receive', pay: 'Pay', withdraw: 'Withdraw', contacts: 'Contacts', convert: 'Convert', markets: 'Markets',
    recent: 'Latest movements', see_all: 'See all', chart: 'Balance, last 30 days',
    empty_title: 'No movements yet', empty_text: 'Send somebody your details. Money appears here within a second of arriving.', empty_action: 'Show my details',
    why_held: 'Why is it held?', notices: 'Notices', notice_totp: 'One-time codes are not set up. If your phone is lost, they let you in on another bound device to lock everything.',
    notice_totp_action: 'Set up', notice_small: 'You signed in with a one-time code: small payments only.', notice_locked: 'Your account is locked. Payments are stopped.', notice_unlock: 'Unlock',
    notice_rail: '{rail} is {state}. Payments by it are carried out once it is back.',
  },
  railstate: { closed: 'outside its hours', down: 'out of service', open: 'running' },
  offline: { text: 'Cannot reach the bank. Figures are from {time}', retry: 'Reconnect' },
  state: {
    in_transit: 'In transit', settled: 'Settled', waiting: 'Waiting', sending: 'Sending', sent: 'Sent', confirmed: 'Confirmed',
    cancelled: 'Undone', rejected: 'Refused', returned: 'Returned', in_review: 'Under review',
  },
  kind: {
    deposit: 'From another bank', transfer_in: 'Received', transfer_out: 'Paid', withdrawal: 'To another bank', fee: 'Fee', return: 'Returned', adjustment: 'Adjustment', trade: 'Market trade', convert: 'Conversion', pool: 'Pool',
  },
  rails: { internal: 'Within our bank', instant: 'Instant payment system', high_value: 'High-value payment system' },
  undo: {
    title: 'Can be undone', button: 'Undo this withdrawal', after: 'When the clock ends it leaves for the other bank at once and can no longer be undone.',
    over: 'The undo time is over; it is on its way to the other bank', working: 'Undoing…', done: 'Undone. {amount} is available again', to: 'To {name}', label: 'Time left to undo',
  },
  assets: {
    title: 'Assets', accounts: 'Accounts', detail: 'Account details', opened: 'Opened on', number: 'Account number', spending: 'In and out by week',
    week: 'Week', chart_empty: 'Nothing in or out yet.', all_available: 'All of it is available; nothing is held.', copy_number: 'Copy account number',
    explain: 'Balance = available + held', trade: 'Convert and trade', convert_text: 'A locked price, done in one step', markets_text: 'Prices, orders and fills',
  },
  hold: {
    title: 'What is held', lead: 'Held money is still in your account; it just cannot be spent for now.', withdrawal_undo: 'Withdrawal in its undo time', withdrawal_undo_why: 'You asked for a withdrawal. It is held while you can undo it, and leaves afterwards.',
    withdrawal_sending: 'Withdrawal being sent', withdrawal_sending_why: 'It has gone to the other bank, which has yet to answer. If refused, it is released at once.', until: 'Until {time} at the latest', open: 'Open this payment',
    no_end: 'Until the other bank answers', empty: 'Nothing is held', placed: 'Held since {time}',
  },
  receive: {
    title: 'Receive', lead: 'Send these details to the payer, or have them scan the code.', qr: 'QR code with your account details', copy_all: 'Copy all details', fast: 'The instant system runs day and night; money shows within a second of arriving.', bank_code: 'Bank code',
  },
  pay: {
    title: 'Pay', to: 'Who to pay', search: 'Search contacts', new: 'Enter account', scan: 'Scan or paste', contacts: 'Contacts', none: 'No contacts yet',
    none_text: 'Save a payee after paying, or enter an account now.', no_match: 'Nothing found for “{q}”', last: 'Last paid {date}', never: 'Never paid', tail: '…{digits}',
  },
  payee: {
    title: 'Payee', withdraw_title: 'To another bank', lead: 'Enter it as the payee gave it to you, with the full name.', name: 'Payee’s name', account: 'Payee’s account', bank: 'Bank', choose_bank: 'Choose the bank',
    save: 'Save as contact', submit: 'Next', account_hint: '6 to 34 digits, and letters if it has any', need_name: 'Please enter the payee’s name', need_account: 'Please enter the account number, 6 to 34 characters', need_bank: 'Please choose the bank', ours: ' (our bank)',
  },
  scan: {
    title: 'Scan', lead: 'Hold the code inside the frame', starting: 'Opening the camera…', denied: 'No permission to use the camera. Allow it in the system settings, or paste the code’s text.',
    missing: 'There is no camera to use here. Paste the code’s text instead.', paste: 'Text of the code', paste_hint: 'Paste the text of the payee’s code here', use: 'Read it', reading: 'Reading…', view: 'Camera picture',
  },
  amount: {
    title: 'Amount', to: 'To {name}', label: 'Amount to pay', pad: 'Number pad', back: 'Delete last digit', point: 'Decimal point', note: 'Note', note_hint: 'The payee sees it; at most 60 characters',
    next: 'Review', over: 'More than the {amount} available', previewing: 'Checking payee and fee…', clear: 'Clear',
  },
  review: {
    title: 'Review', payee: 'Payee', arrives_amount: 'Payee gets', arrives: 'Arrives', at_once: 'At once', seconds: 'Within about {n} s', at: 'About {time}', route: 'Sent by',
    same_bank: 'Both accounts are with us: booked directly', below_instant_ceiling: 'Within the instant ceiling: the fastest way', above_instant_ceiling: 'Above the instant ceiling: goes by the high-value system',
    undo: 'Can it be undone?', undo_yes: 'For {time} after you confirm; then it is sent', undo_no: 'No: it arrives as soon as you confirm', undo_later: 'After sending you may still ask for it back; the other bank decides',
    confirm_passkey: 'Confirm with passkey', confirm_plain: 'Confirm payment', signing: 'Please confirm in the system prompt…', sending: 'Submitting the payment…', expires: 'This review is valid until {time}',
    expired: 'This review has expired', again: 'Review again', mismatch_warn: 'The bank knows this account under the name {name}, not the one you entered. Check with the payee before you pay.',
    unverified_warn: 'The other bank offers no check before payment. Make sure name and number are right.', verified_text: 'Registered with the bank: {name}', small: 'Up to {amount} no passkey is needed',
    lost: 'The connection broke, so it is not known whether it was submitted. Submitting again does not pay twice.', resubmit: 'Submit again', change: 'Change payee',
  },
  result: {
    title: 'Payment', paid: 'To {name}', home: 'Back to home', reason: 'Reason', track: 'Progress', receipt: 'Open receipt', live: 'Updates by itself',
    money_back: '{amount} is available again', wait_review: 'Bank staff are looking into it. The outcome will show here.',
  },
  step: {
    requested: 'Requested', checked: 'Checked', waiting: 'Undo time', sent: 'Sent to the other bank', confirmed: 'Confirmed by the other bank', settled: 'Settled', cancelled: 'Undone', rejected: 'Refused', returned: 'Returned',
    todo: 'not yet', done: 'done', failed: 'failed',
  },
  withdraw: {
    title: 'Withdraw', lead: 'Move money to your account at another bank, or pay somebody there.', open: 'Under way', none: 'No withdrawal under way', none_text: 'Each one waits out its undo time before it leaves.', start: 'New withdrawal',
    how: 'It is held first, and one tap takes it back while the clock runs. Then it goes to the other bank and settles once that bank answers.',
  },
  movements: {
    title: 'Movements', search: 'Search name, note or amount', direction: 'Direction', all: 'All', in: 'In', out: 'Out', from: 'From', to: 'To', download: 'Download statement (CSV)', filter: 'Filter by date', clear: 'Clear filters',
    none: 'No movement matches', none_text: 'Try another word or clear the filters.', end: 'That is all', loading: 'Loading more…', today: 'Today', yesterday: 'Yesterday', count: '{n} shown',
  },
  movement: {
    about: 'What', note_convert: '{paid} {from} for {got} {to}', note_buy: 'Bought {quantity} {base} at {price} {quote}', note_sell: 'Sold {quantity} {base} at {price} {quote}', title: 'Receipt', recorded: 'Booked', effective: 'Effective', counterparty: 'Other side', entry: 'Entry number', payment: 'Open the payment', state_in_transit: 'In transit: out of your available balance, the other bank has yet to answer',
    state_settled: 'Booked', pay_again: 'Pay {name} again',
  },
  verify: {
    title: 'This receipt proves itself', lead: 'The check runs in your browser; you need not take our word for it.', button: 'Verify now', working: 'Verifying…', again: 'Verify again', ok: 'Verified: this entry is in the public log and cannot be changed unnoticed.',
    bad: 'Not verified. Do not rely on this receipt, and give the bank its reference.', not_ready: 'The receipt is being made; it normally takes under two seconds.', format: 'The receipt is complete', leaf: 'Its content matches the entry', inclusion: 'The entry is in the bank’s log', checkpoint: 'The log is signed by the bank',
    passed: 'passed', failed: 'failed', pending: 'to be checked', download: 'Download receipt file', key: 'Verification key',
  },
  contacts: {
    title: 'Contacts', add: 'Add contact', search: 'Search contacts', none: 'No contacts yet', none_text: 'Paying gets quicker, and the bank checks the name.', delete_title: 'Delete this contact?', delete_text: 'Only the entry “{name}” goes; payments made are not affected.', deleted: '{name} deleted', added: '{name} added', pay: 'Pay {name}', menu: 'Delete {name}',
  },
  limits: {
    title: 'Limits', lead: 'The bank sets limits by your grade.', single: 'Per payment', day: 'Today', month: 'This month', year: 'This year', used: '{amount} used', remaining: '{amount} left', cap: 'Limit {amount}', none: 'No limit',
    small: 'Small payments', small_text: 'Payments up to {amount} need no passkey.', undo: 'Undo time', undo_text: 'Withdrawals of {amount} and more can be undone for a while.', bar: '{period}: {percent}% of the limit used',
    grade: 'Your grade', basic: 'Basic', verified: 'Verified', full: 'Full',
  },
  security: {
    title: 'Security centre', devices: 'Devices', this_device: 'This device', last_seen: 'Last used {time}', bound: 'Bound {time}', block: 'Block this device', blocked: 'Blocked', block_title: 'Block “{name}”?', block_text: 'It is signed out at once and can do nothing any more.',
    add_passkey: 'Add a passkey', passkey_name: 'Give it a name', passkey_default: 'Spare passkey', never_used: 'Never used', used: 'Last used {time}', backed_up: 'Synced copy exists', not_backed_up: 'In one place only', remove_passkey: 'Remove “{name}”?', remove_passkey_text: 'It can no longer sign in or confirm payments.',
    totp: 'One-time codes', totp_on: 'On', totp_off: 'Off', totp_text: 'A second way in. Without your passkey you can sign in on a bound device for small payments.', totp_start: 'Set up one-time codes', totp_remove: 'Turn off one-time codes', totp_scan: 'Scan the code with your authenticator app, or enter the key:', totp_qr: 'QR code to set up one-time codes', totp_code: 'The 6 digits your app shows', totp_confirm: 'Turn on', totp_done: 'One-time codes are on', totp_removed: 'One-time codes are off', totp_remove_title: 'Turn off one-time codes?', totp_remove_text: 'After that only passkeys can sign in.',
    lock: 'Lock everything', lock_text: 'Phone lost, or something looks wrong: signs out every device, blocks all others and stops payments. Your money stays, and you can still receive. Afterwards a passkey of this device signs in and unlocks.', lock_title: 'Lock everything now?', lock_confirm: 'Lock everything', lock_done: 'Everything is locked', locked_title: 'Your account is locked', locked_text: 'Every other device is blocked and payments are stopped. You can still receive.', unlock: 'Unlock with passkey', unlocked: 'Unlocked', added: 'Passkey added', removed: 'Passkey removed', device_blocked: 'Device blocked',
    lock_signin: 'To unlock, sign in with a passkey of the device that locked, then open the security centre. If that device has none, a passkey of another device does.',
  },
  me: {
    title: 'Me', security: 'Security centre', security_text: 'Devices, passkeys, lock everything', limits: 'Limits', contacts: 'Contacts', settings: 'Settings', statements: 'Movements and statements', sign_out: 'Sign out', sign_out_title: 'Sign out?', sign_out_text: 'Balances and drafts kept on this device are cleared.', grade: '{grade} grade', receive: 'My account details',
  },
  settings: {
    title: 'Settings', language: 'Language', zh: '中文', en: 'English', hide: 'Hide amounts', hide_text: 'For privacy in public. The eye on the home page does the same.', theme: 'Appearance', auto: 'System', light: 'Light', dark: 'Dark', zone: 'Time zone', about: 'About', version: 'Version {version}',
    install: 'Install on your home screen', install_text: 'Opens like an app, and shows your last known balance without a network.',
  },
  duration: { seconds: '{n} s', minutes: '{n} min' },
  chart: { balance: 'Chart of your balance', spending: 'Bars of money in and out by week', date: 'Date', balance_col: 'Balance', show_table: 'Show table', hide_table: 'Hide table', high: 'Highest', low: 'Lowest', ...markets.chart },
  load: { home: 'Loading balance and movements…', movements: 'Loading movements…', payment: 'Loading the payment…', contacts: 'Loading contacts…', limits: 'Loading limits…', security: 'Loading devices and passkeys…', receive: 'Loading your details…', assets: 'Loading accounts…', ...markets.load },
  notfound: { title: 'No such page', text: 'The address may be wrong, or the content is gone.' },
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

export default en
