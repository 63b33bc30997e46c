//! What the floor opens with: books in two assets, one market, a desk, and who trades.

use bank::Command;
use exchange::market::{Fees, MakerFee, Rules};
use exchange::price::{Pair, PriceTerms};
use exchange::quote::{ConvertTerms, SizeBand};
use exchange::{Command as C, MarketChange};
use identity::Grade;
use ledger::{AccountKind, Change, Entry, Leg, Tenant};
use money::{Amount, EntryId};
use payments::Books;

use super::*;
use crate::people::Person;

/// What everybody begins with: hundredths of yuan and satoshi.
const CNY: u128 = 30_000_000;
const SATOSHI: u128 = 60_000_000;
const BTC_RESERVE: u128 = 101;

pub(super) const fn pair(base: Asset) -> Pair {
    Pair { base, quote: Asset::CNY }
}

pub(super) fn rules() -> Rules {
    Rules {
        base: btc(),
        quote: Asset::CNY,
        lot: LOT,
        tick: 1,
        quantity_max: Quantity::new(10_000),
        notional_min: 100,
        fees: Fees { maker: MakerFee::Gets(300), taker_ppm: 2_000 },
        band_bps: 1_000,
        halt_bps: 150,
        reference_ms: 60_000,
        call_ms: 8_000,
        open_orders_max: 30,
        hours: None,
        fee_account: AccountId::new(FEES),
    }
}

fn changes(now: Timestamp) -> Vec<MarketChange> {
    let (account, of) = (AccountId::new, pair(btc()));
    let prices = PriceTerms {
        stale_ms: STALE_MS,
        sources_min: u32::try_from(SOURCES_MIN).unwrap_or(1),
        jump_ppm: 50_000,
        confirm_ms: 10_000,
        width_max_ppm: 50_000,
        half_life_ms: 60_000,
        volatility_min_ppb: 0,
    };
    let convert = ConvertTerms {
        bands: vec![SizeBand { up_to: Amount::new(Asset::CNY, 100_000_000), spread_ppm: 3_000 }],
        least: Amount::new(Asset::CNY, 100),
        lock_ms: LOCK_MS,
        volatility_share_ppm: 0,
        target: Amount::new(btc(), 100_000_000),
        target_band: Amount::new(btc(), 20_000_000),
        skew_ppm: 1_000,
        spread_max_ppm: 100_000,
        fee_ppm: 1_000,
    };
    vec![
        MarketChange::Open { rules: rules(), reference: Price::new(50_000) },
        MarketChange::SetPriceTerms { pair: of, from: now, terms: prices },
        MarketChange::SetConvertTerms { pair: of, from: now, terms: convert },
        MarketChange::SetInventory { asset: btc(), account: account(DESK_BTC), fees: account(BTC_FEES) },
        MarketChange::SetInventory { asset: Asset::CNY, account: account(DESK_CNY), fees: account(FEES) },
    ]
}

pub(super) fn staff(name: &str) -> Actor {
    Actor::Operator(Text::clip(name))
}

impl Floor {
    pub(super) fn open(&mut self, chance: &mut Chance) -> Result<(), String> {
        let account = |offset: u128| AccountId::new(BTC_RESERVE.saturating_add(offset));
        let btc_books = Books {
            asset: btc(),
            reserve: account(0),
            transit_instant: account(1),
            transit_high_value: account(2),
            suspense: account(3),
            fees: account(4),
            capital: account(5),
        };
        let words = |error: anyhow::Error| error.to_string();
        let mut commands: Vec<(Actor, Command)> = crate::opening::commands()
            .map_err(words)?
            .into_iter()
            .chain([Command::Payments(payments::Command::OpenBooks(btc_books))])
            .map(|command| (staff("opening"), command))
            .collect();
        for (number, name) in (1_u8..).zip(["Lin Xiao", "Chen Jing", "Wang Fang"]) {
            let person = Person::new(number, name, Grade::Full).map_err(words)?;
            let base = AccountId::new(person.account.value().saturating_add(5_000));
            let actor = Actor::Session(person.session);
            commands.push((Actor::Visitor, Command::Identity(person.enrol(self.clock).map_err(words)?)));
            commands.push((actor.clone(), Command::OpenOwnAccount { account: base, asset: btc() }));
            // Two of them are of one group.
            let group = (number < 3).then_some(9);
            self.traders.push(Trader { actor, base, quote: person.account, group, converts: true });
        }
        let of_tenant = Some(Tenant::new(TENANT));
        for (base, quote, tenant, actor) in [
            (TENANT_BTC, TENANT_CNY, of_tenant, Actor::Tenant(TENANT)),
            (DESK_BTC, DESK_CNY, None, staff("trader")),
        ] {
            let (base, quote) = (AccountId::new(base), AccountId::new(quote));
            for (id, asset) in [(base, btc()), (quote, Asset::CNY)] {
                let kind = AccountKind::Customer;
                let open = ledger::Command::OpenAccount { id, kind, asset, tenant, opened_at: None };
                commands.push((staff("opening"), Command::Ledger(open)));
            }
            self.traders.push(Trader { actor, base, quote, group: None, converts: false });
        }
        for trader in &self.traders {
            // The desk has more than the others.
            let more = if trader.base == AccountId::new(DESK_BTC) { 4 } else { 1 };
            let (sat, fen) = (SATOSHI.saturating_mul(more), CNY.saturating_mul(more));
            for (reserve, to, amount) in [
                (BTC_RESERVE, trader.base, Amount::new(btc(), sat)),
                (1, trader.quote, Amount::new(Asset::CNY, fen)),
            ] {
                let legs = vec![Leg::debit(AccountId::new(reserve), amount), Leg::credit(to, amount)];
                let id = EntryId::new(chance.number() >> 2);
                let entry = Entry { id, legs, effective_at: None, reference: None, memo: Text::default() };
                let change = Change { entry: Some(entry), ..Change::default() };
                commands.push((staff("opening"), Command::Ledger(ledger::Command::Change(change))));
            }
        }
        for (proposal, change) in (1_u64..).zip(changes(self.clock)) {
            commands.push((staff("lin"), Command::Exchange(C::Propose(change))));
            commands.push((staff("wen"), Command::Exchange(C::Approve { proposal })));
        }
        for trader in &self.traders {
            let Trader { actor, base, quote, group, .. } = trader.clone();
            self.asked.seats.push((base, quote, group));
            let seat = C::TakeSeat { market: MARKET, base, quote, group };
            commands.push((actor, Command::Exchange(seat)));
        }
        for (actor, command) in commands {
            let id = CommandId::new(chance.number() | 1);
            let reply = self.give(vec![Submission { id, actor, command }])?.pop();
            if !matches!(reply, Some(Reply::Taken { is_repeat: false, .. })) {
                return Err(format!("the floor cannot be opened: {reply:?}"));
            }
        }
        let own = [AccountId::new(FEES), AccountId::new(BTC_FEES)];
        let accounts = self.traders.iter().flat_map(|trader| [trader.base, trader.quote]).chain(own);
        self.begins = accounts.map(|id| (id, balance(&self.shell.bank, id))).collect();
        Ok(())
    }
}
