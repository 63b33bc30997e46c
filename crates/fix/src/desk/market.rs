//! Requests for instruments, market data and market states.

use crate::codec::{Body, Message};
use crate::dictionary::{Fault, MsgType, RejectReason, tag};
use crate::venue::{Instrument, RefusalReason, Venue};

use super::feed::{DEPTH_MAX, Entries, FOLLOWED_MAX, Wanted};
use super::{Desk, No};

/// Longest id of a request.
const ID_BYTES_MAX: usize = 64;
/// Kinds of entries in one request.
const KINDS_MAX: u64 = 16;

/// Why market data is not told: MDReqRejReason, where there is one, and words.
type NotTold = (Option<u8>, String);

impl<V: Venue> Desk<V> {
    /// What has changed in all that the client follows.
    pub fn look(&mut self) -> Vec<Body> {
        self.feed.look(&*self.venue)
    }

    pub(super) fn security_list(&mut self, message: &Message) -> Result<Vec<Body>, No> {
        let id = request_id(message, tag::SECURITY_REQ_ID)?;
        let kind = message.required(tag::SECURITY_LIST_REQUEST_TYPE)?;
        self.read_instruments();
        let found: Option<Vec<Instrument>> = match kind {
            "0" => Some(self.instrument(message.required(tag::SYMBOL)?).into_iter().collect()),
            "4" => Some(self.instruments.values().cloned().collect()),
            _ => None,
        };
        let result = match &found {
            None => 1,
            Some(found) if found.is_empty() => 2,
            Some(_) => 0,
        };
        let found = found.unwrap_or_default();
        let mut body = Body::new(MsgType::SecurityList)
            .with(tag::SECURITY_REQ_ID, id)
            .with(tag::SECURITY_RESPONSE_ID, format_args!("L{}", message.seq()))
            .with(tag::SECURITY_REQUEST_RESULT, result);
        if found.is_empty() {
            return Ok(vec![body]);
        }
        body = body.with(tag::TOT_NO_RELATED_SYM, found.len()).with(tag::NO_RELATED_SYM, found.len());
        for instrument in &found {
            // FIX 4.4 has no field for the step of a price: it is an attribute in words.
            body = body
                .with(tag::SYMBOL, &instrument.symbol)
                .with(tag::NO_INSTR_ATTRIB, 1)
                .with(tag::INSTR_ATTRIB_TYPE, 99)
                .with(tag::INSTR_ATTRIB_VALUE, format_args!("tick={}", instrument.tick))
                .with(tag::CURRENCY, &instrument.quote)
                .with(tag::ROUND_LOT, instrument.lot)
                .with(tag::MIN_TRADE_VOL, instrument.lot.text(instrument.smallest.number()));
        }
        Ok(vec![body])
    }

    pub(super) fn security_status(&mut self, message: &Message) -> Result<Vec<Body>, No> {
        let id = request_id(message, tag::SECURITY_STATUS_REQ_ID)?.to_owned();
        let symbol = message.required(tag::SYMBOL)?;
        let keep = match message.required(tag::SUBSCRIPTION_REQUEST_TYPE)? {
            "0" => false,
            "1" => true,
            "2" if self.feed.unwatch(&id) => return Ok(Vec::new()),
            "2" => return Err(No::refused(RefusalReason::Other, format!("nothing is followed under {id}"))),
            _ => return Err(Fault::of(RejectReason::ValueIncorrect, tag::SUBSCRIPTION_REQUEST_TYPE).into()),
        };
        let unknown =
            || No::refused(RefusalReason::UnknownSymbol, format!("there is no instrument {symbol}"));
        let instrument = self.instrument(symbol).ok_or_else(unknown)?;
        if keep && self.feed.len() >= FOLLOWED_MAX {
            return Err(No::refused(
                RefusalReason::ExceedsLimit,
                format!("more than {FOLLOWED_MAX} symbols are followed"),
            ));
        }
        Ok(vec![self.feed.watch(&*self.venue, &id, &instrument.symbol, keep)])
    }

    pub(super) fn market_data(&mut self, message: &Message) -> Result<Vec<Body>, No> {
        let id = request_id(message, tag::MD_REQ_ID)?.to_owned();
        match self.read_market_data(message, &id)? {
            Ok(bodies) => Ok(bodies),
            Err((reason, text)) => {
                let body = Body::new(MsgType::MarketDataRequestReject)
                    .with(tag::MD_REQ_ID, id)
                    .with_some(tag::MD_REQ_REJ_REASON, reason)
                    .with(tag::TEXT, text);
                Ok(vec![body])
            }
        }
    }

    /// The answer, or the reason and the words of a reject.
    fn read_market_data(&mut self, message: &Message, id: &str) -> Result<Result<Vec<Body>, NotTold>, Fault> {
        let no = |reason: u8, text: &str| Ok(Err((Some(reason), text.to_owned())));
        let keep = match message.required(tag::SUBSCRIPTION_REQUEST_TYPE)? {
            "0" => false,
            "1" => true,
            "2" if self.feed.leave(id) => return Ok(Ok(Vec::new())),
            "2" => return Ok(Err((None, format!("nothing is followed under {id}")))),
            _ => return no(4, "only 0, 1 and 2 in tag 263 are served"),
        };
        if keep && self.feed.has(id) {
            return no(1, "this MDReqID is in use");
        }
        let depth = match usize::try_from(message.number(tag::MARKET_DEPTH)?) {
            Ok(0) => DEPTH_MAX,
            Ok(depth) => depth.min(DEPTH_MAX),
            Err(_) => return no(5, "no such depth"),
        };
        let whole = match message.optional(tag::MD_UPDATE_TYPE)? {
            Some("0") => true,
            Some("1") => false,
            None if !keep => true,
            None => return Err(Fault::of(RejectReason::RequiredTagMissing, tag::MD_UPDATE_TYPE)),
            Some(_) => return no(6, "only 0 and 1 in tag 265 are served"),
        };
        if !matches!(message.optional(tag::AGGREGATED_BOOK)?, None | Some("Y")) {
            return no(7, "a book is told by prices, not by orders");
        }
        let mut entries = Entries::default();
        for kind in message.group(tag::NO_MD_ENTRY_TYPES, tag::MD_ENTRY_TYPE, &[], KINDS_MAX)? {
            match kind.required(tag::MD_ENTRY_TYPE)? {
                "0" => entries.bids = true,
                "1" => entries.asks = true,
                "2" => entries.trades = true,
                _ => return no(8, "only bids, offers and trades are served"),
            }
        }
        let most = u64::try_from(FOLLOWED_MAX).unwrap_or(u64::MAX);
        let members = [22, 48, 167, 207, 460, 461, 336, 625].map(crate::dictionary::Tag::new);
        let symbols = message.group(tag::NO_RELATED_SYM, tag::SYMBOL, &members, most)?;
        if keep && self.feed.len().saturating_add(symbols.len()) > FOLLOWED_MAX {
            return no(2, "too many symbols are followed");
        }
        let mut instruments = Vec::with_capacity(symbols.len());
        for symbol in symbols {
            let symbol = symbol.required(tag::SYMBOL)?;
            let Some(instrument) = self.instrument(symbol) else {
                return Ok(Err((Some(0), format!("there is no instrument {symbol}"))));
            };
            instruments.push(instrument);
        }
        let wanted = Wanted { id: id.to_owned(), depth, entries, whole };
        Ok(Ok(self.feed.begin(&*self.venue, &wanted, instruments, keep)))
    }
}

fn request_id(message: &Message, tag: crate::dictionary::Tag) -> Result<&str, Fault> {
    let id = message.required(tag)?;
    if id.len() > ID_BYTES_MAX { Err(Fault::of(RejectReason::ValueIncorrect, tag)) } else { Ok(id) }
}
