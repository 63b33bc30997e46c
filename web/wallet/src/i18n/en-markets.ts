import type zh from './zh-markets'
import type { problem as zhProblem } from './zh-markets'

const en: typeof zh = {
  market: {
    list: 'Markets', one: 'Market', search: 'Search markets, such as BTC', none: 'No markets yet', none_text: 'Markets show here once the bank opens them.', no_match: 'Nothing matches “{q}”', no_match_text: 'Try another asset.',
    volume_short: '24 h {amount} {asset}', no_price: 'No price yet', no_change: 'No change yet', up: 'up', down: 'down', flat: 'unchanged',
    figures: 'Figures of the day', high: '24 h high', low: '24 h low', volume: '24 h volume', turnover: '24 h turnover', view: 'View', views: { book: 'Book', depth: 'Depth', trades: 'Last trades' },
    trade_time: 'Time', no_trades: 'No trades yet.', taker_buy: 'bought at the offer', taker_sell: 'sold at the bid', taker_auction: 'in an auction',
    line: { connecting: 'Connecting', live: 'Live', waiting: 'Line lost', resyncing: 'Reading again' }, stale: 'The line to the market is lost. Figures are from {time}; it reconnects by itself.',
    rules: 'Rules of this market', rules_text: 'Prices in steps of {tick}, quantities in steps of {lot} {asset}, at least {min} an order.', band_text: 'Orders are taken at prices from {low} to {high} now.',
  },
  phase: {
    open: 'Open', closed: 'Closed', call: 'Auction', suspended: 'Suspended',
    closed_title: 'The market is closed', closed_until: 'Closed until {time}', closed_text: 'No orders are taken now. Orders that rest are kept, and you can cancel them at any time.',
    call_title: 'Collecting orders for an auction', call_until: 'Collecting orders for an auction at {time}', call_text: 'You can place and cancel orders now; none fills until the auction. It fills all at the one price at which most changes hands.',
    suspended_title: 'The market is suspended', suspended_until: 'Suspended until {time}', suspended_text: 'The bank has suspended this market. No new orders are taken; you can cancel those you have. Reserved money is still yours.',
    left: '{time} left', hours: 'Hours: {days}, {open} to {close} ({zone})', day_from_to: '{from} to {to}', reason: 'Why: {why}',
    why: { halt: 'the price moved too far too fast; an auction finds a new one', opening: 'opening auction', closing: 'closing auction', resumption: 'it goes on after a suspension' },
  },
  book: {
    title: 'Order book', price: 'Price ({asset})', quantity: 'Quantity ({asset})', total: 'Total', buy: 'Bids', sell: 'Offers', buy_order: 'Bid', sell_order: 'Offer', take: ', {orders} orders, press to use this price', quantity_word: 'quantity',
    no_buy: 'No bids', no_sell: 'No offers', spread: 'Spread {amount}', one_sided: 'Orders on one side only', hint: 'Tap a row to use its price', depth_label: 'Depth chart: {bid} bid, {ask} offered', bid_sum: '{amount} bid', ask_sum: '{amount} offered', no_depth: 'There is a depth chart once both sides have orders.',
  },
  ticket: {
    title: 'Order {pair}', side: 'Buy or sell', buy: 'Buy {asset}', sell: 'Sell {asset}', type: 'Order type', other_type: 'Other types', by: 'Given as', by_quantity: 'By quantity ({asset})', by_budget: 'By budget ({asset})', with_asset: '{label} in {asset}', worth: 'About {amount}',
    types: { limit: 'Limit', market: 'Market', budget: 'Market by budget', other: 'More', stop: 'Stop', stop_limit: 'Stop-limit', oco: 'One cancels other (OCO)', twap: 'In pieces over time (TWAP)' },
    about: {
      limit: 'Fills at your price or better only. What does not fill rests in the book.', market: 'Fills at once at the best prices there are, never beyond the protection price. The rest is cancelled.', budget: 'Fills at once until the budget is used up, never beyond the protection price.', stop: 'Once the trigger price is reached it fills as a market order.', stop_limit: 'Once the trigger price is reached it is placed at your limit price.',
      oco: 'One order takes profit, one stops a loss; when one fills the other is cancelled.', twap: 'Placed in pieces at even intervals, so that the price moves less.',
    },
    field: { price: 'Price', quantity: 'Quantity', budget: 'Budget', trigger: 'Trigger price', worst: 'Protection price', shown: 'Shown at a time', until: 'Good until', stop_trigger: 'Stop trigger', stop_limit: 'Stop limit price', pieces: 'Number of pieces', every_seconds: 'Seconds between pieces' },
    fault: { needed: 'Fill this in', number: 'Digits and a point only', step: 'Must be a multiple of {step}', band: 'Outside the prices taken now, {low} to {high}', above: 'At most {max} in one order; split it', below: 'At least {min} {asset} an order', shown_above: 'Show less than the whole quantity', past: 'Choose a time still to come', whole: 'Whole numbers; 2 to {max} pieces' },
    take_share: 'Use {share} percent of what is available', more: 'More settings', less: 'Fewer settings', in_force: 'In force', forces: { gtc: 'Until you cancel it', post_only: 'Rest only, never take', ioc: 'Fill at once, cancel the rest', fok: 'Fill all at once or nothing', gtd: 'Until a time you set' },
    shown_hint: 'Iceberg: the book shows only so much at a time.', worst_hint: 'Left empty, it is the furthest price the market takes now.', self: 'Should it meet your own order', selves: { taker: 'Cancel the new one', maker: 'Cancel the resting one', both: 'Cancel both', decrement: 'Reduce both by the overlap' }, reset: 'Clear the ticket',
    preview_button: 'Preview', preview_again: 'Preview again', previewing: 'Looking at the market…', placing: 'Placing…', place_buy: 'Buy {asset} now', place_sell: 'Sell {asset} now', preview: 'Preview', fills_now: 'Fills now', nothing_now: 'Nothing fills now', average: 'Average price', worst_price: 'Worst price', cost: 'Costs', proceeds: 'Brings',
    rests: 'Rests in the book', rests_at: '{quantity} at {price}', rests_none: 'Nothing', fee_expected: 'Fee expected', fee_max: 'Fee at most', rates: 'maker {maker}, taker {taker}', reserved: 'Reserved', reserved_text: 'Reserved money is still yours. What is not needed is released at once when the order fills or ends.',
    done: { filled: 'Filled completely', part: 'Filled in part; the rest waits in the book', rests: 'Placed; it waits in the book', waits: 'Taken; it waits for its trigger', plan: 'Taken; it is carried out as planned', part_ended: 'Filled in part; the rest is cancelled', none_ended: 'Nothing filled; the order is cancelled', counts: '{filled} filled, {left} left', average: 'Average price {price}' }, another: 'Another order',
  },
  orders: {
    title: 'Orders', one: 'Order', open: 'Open orders', all: 'All orders', see: 'See your orders', market: 'Market', every_market: 'Every market', views: { open: 'Open', history: 'History', fills: 'Fills' }, buy: 'Buy', sell: 'Sell', what: 'Order', state_word: 'State', state: { open: 'Open', waiting: 'Waits for trigger', filled: 'Filled', cancelled: 'Cancelled', expired: 'Expired', killed: 'Ended' },
    none_open: 'No open orders', none_open_text: 'Once you place one you can cancel, reduce or move it here.', none_history: 'No past orders', none_fills: 'No fills yet', none_past_text: 'Orders that have ended and each of their fills show here.', progress: '{filled} of {quantity} filled', filled_of: 'Filled / quantity', left: 'Still in the book', fee_paid: 'Fees paid', fee_of: 'Fee {fee}', placed_at: 'Placed', ended_at: 'Ended', at_market: 'At market',
    cancel: 'Cancel order', cancelling: 'Cancelling…', cancelled: 'Cancelled; its money is available again', reduce: 'Reduce', reduce_by: 'Reduce by ({asset})', reduce_hint: 'The order keeps its place in the queue.', reduce_too_much: 'Less than what is left; to end it all, cancel', reduced: 'Reduced', move: 'Move', move_to: 'New price ({asset})', move_hint: 'The order goes to the end of the queue at its new price.', moved: 'Moved',
    cancel_all: 'Cancel all', cancel_all_title: 'Cancel all open orders?', cancel_all_text: '{n} orders are cancelled ({markets}). Their money is available again at once.', all_cancelled: 'All orders are cancelled', emergency: 'Cancel all, or stop trading', stop: 'Stop my trading', stop_text: 'For emergencies: cancels every order and takes no new ones until you allow it again.', stop_title: 'Stop your trading?', stop_confirm: '{n} orders are cancelled and trading stops in {markets}. Your accounts are not touched, and you can go on at any time.', stop_done: 'Trading is stopped, all orders are cancelled',
    stopped: 'You have stopped your trading in this market', stopped_text: 'No orders rest, and no new ones are taken.', free: 'Trade again', freed: 'You can trade again', plans: 'Orders of orders under way', next_at: 'next {time}', end_plan: 'End', plan_ended: 'It has ended', role: { maker: 'maker', taker: 'taker', auction: 'auction' },
  },
  convert: {
    title: 'Convert', instead: 'In a hurry? Convert at once', from: 'You pay', to: 'You get', swap: 'Swap both sides', about: 'About 1 {base} = {mid} {quote}', which: 'Which amount you enter', exact_in: 'Pay {asset}', exact_out: 'Get {asset}', amount_in: 'Amount to pay', amount_out: 'Amount to get', ask: 'Get a firm price', asking: 'Asking for a price…',
    offer_title: 'Your price', locked: 'The price is locked', locked_text: 'Until the ring is empty it is yours and does not change.', lock_over: 'The price has run out', lock_over_text: 'Nothing was taken. One tap gets a new one.', left: '{time} left at this price', you_pay: 'You pay', you_get: 'You get', price: 'Price', mid: 'Market middle', spread: 'Spread', route: 'Where it comes from', venue: { inventory: 'our stock', book: 'order book', pool: 'pool' }, final: 'It is booked at once and cannot be undone.',
    accept: 'Convert and get {amount}', accepting: 'Converting…', requote: 'Get a new price', change: 'Go back and change', done_title: 'Converted', paid: 'Paid {amount}', at: 'Booked', done_text: 'Both sides were booked together; see your movements.', another: 'Convert again', history: 'Latest conversions', none: 'Nothing can be converted at the moment', none_text: 'Please come back later.',
  },
  accounts: {
    new: 'Open an account in another asset', new_text: 'Free, and ready at once.', missing: 'You have no {asset} account yet', open: 'Open an account in {asset}', open_short: 'Open', opening: 'Opening…', opened: 'Your {asset} account is open', have: 'Open', decimals: '{n} decimals', none_in: 'no {asset} account', why_trade: 'Trading here needs an account in {asset}. It is free and ready at once.', why_convert: 'Converting needs an account in {asset}. It is free and ready at once.',
  },
  chart: {
    interval: 'Interval', every_1m: '1m', every_5m: '5m', every_15m: '15m', every_1h: '1h', every_4h: '4h', every_1d: '1d', candles: 'Candles', candles_label: 'Candles; the last one closes at {close}', no_candles: 'Nothing traded in this time.', open: 'Open', close: 'Close', volume: 'Volume',
  },
  load: { markets: 'Loading markets…', market: 'Loading the market…', orders: 'Loading orders…', convert: 'Loading what can be converted…' },
}
export default en

export const problem: typeof zhProblem = {
  account_exists: { what: 'You have an account in this asset.', next: 'Just use it.' },
  asset_unknown: { what: 'The bank has no accounts in this asset.', next: 'Choose one from the list.' },
  order_malformed: { what: 'The order contradicts itself and was not taken.', next: 'Check price, quantity and how long it is in force.' },
  market_unknown: { what: 'There is no such market.', next: 'Choose one from the list of markets.' },
  market_not_open: { what: 'The market does not take such an order now.', next: 'The market’s page says why and until when; try again then.' },
  seat_unknown: { what: 'You have not traded in this market yet.', next: 'Your first order prepares it; try once more.' },
  seat_stopped: { what: 'You have stopped your trading in this market.', next: 'Choose “Trade again” under Orders first.' },
  seat_accounts: { what: 'An account that the market needs is missing.', with: 'You have no {missing} account.', next: 'Open the missing account, then place the order. It is free and ready at once.' },
  order_exists: { what: 'An order with this number exists; it was not placed twice.', next: 'Look under Orders.' },
  order_unknown: { what: 'There is no such open order; it was filled or has ended.', next: 'Look in your history and fills.' },
  plan_unknown: { what: 'There is no such order of orders; it has ended.', next: 'Look under Orders.' },
  price_step: { what: 'The price is not in the market’s steps.', next: 'Change it as the rules on the market’s page say.' },
  quantity_step: { what: 'The quantity is not in the market’s steps.', next: 'Change it as the rules on the market’s page say.' },
  quantity_above: { what: 'That is more than one order may be.', next: 'Split it, or place it in pieces over time.' },
  order_too_small: { what: 'The order is worth less than an order must be.', next: 'Raise the quantity or the price.' },
  price_outside_band: { what: 'The price is too far from the market.', next: 'Choose one in the range that the market’s page shows.' },
  orders_full: { what: 'You have as many open orders as you may.', next: 'Cancel one first.' },
  would_trade: { what: 'It would fill at once, and you asked that it only rests.', next: 'Change the price, or let it take as well.' },
  book_full: { what: 'The market takes no more orders for the moment.', next: 'Try again later.' },
  quote_unknown: { what: 'There is no such price.', next: 'Ask for a new one; nothing was taken.' },
  quote_expired: { what: 'The price has run out. Nothing was taken.', next: 'One tap gets a new one.' },
  quote_altered: { what: 'This is not what the bank offered. Nothing was taken.', next: 'Ask for a new price.' },
  quote_used: { what: 'This price was used already; nothing was taken twice.', next: 'See your movements; ask for a new price to convert again.' },
  stock_short: { what: 'The bank does not have so much to convert now.', next: 'Lower the amount, or place an order in the market.' },
  too_many_quotes: { what: 'You have too many unused prices.', next: 'Wait until they have run out, then try again.' },
  accounts_do_not_fit: { what: 'The accounts do not fit the assets.', next: 'Choose one account in each of the two assets.' },
  quote_exists: { what: 'This price was made before.', next: 'Ask for a new one.' },
  not_converted: { what: 'These two are not converted into each other.', next: 'Choose another asset.' },
  amount_too_small: { what: 'This is less than can be converted.', next: 'Raise the amount.' },
  amount_too_large: { what: 'This is more than is converted at once.', next: 'Lower the amount, or convert in parts.' },
}
