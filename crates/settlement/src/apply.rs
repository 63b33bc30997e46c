//! Applying events of settlement.

use money::{Asset, Timestamp};

use crate::{Case, DayResult, Event, Flow, Round, RoundKey, SettlementBook};

impl SettlementBook {
    /// Applies one event, recorded at `now`.
    pub fn apply(&mut self, event: &Event, now: Timestamp) {
        match event {
            Event::Counted { key, is_inbound, amount } => {
                let round = self.round_mut(key, amount.asset());
                if *is_inbound { round.received.add(*amount) } else { round.sent.add(*amount) }
            }
            Event::RoundClosed { key, sent, received } => {
                self.round_mut(key, sent.sum.asset()).closed = Some((*sent, *received));
            }
            Event::RoundSettled { key, net } => {
                let (crate::NetPosition::ToPay(amount) | crate::NetPosition::ToReceive(amount)) = net;
                self.round_mut(key, amount.asset()).settled = Some(*net);
                self.next_serial = self.next_serial.saturating_add(1);
            }
            Event::DayReconciled { rail, date, rounds, breaks } => {
                let result = DayResult { rounds: *rounds, breaks: breaks.clone(), at: now };
                self.pages.remove(&(rail.clone(), *date));
                self.days.insert((rail.clone(), *date), result);
            }
            Event::TotalsPageKept { rail, date, number, rows } => {
                self.pages.entry((rail.clone(), *date)).or_default().insert(*number, rows.clone());
            }
            Event::CaseOpened { id, case } => {
                self.next_serial = self.next_serial.saturating_add(1);
                self.cases.insert(*id, Case { new: case.clone(), opened_at: now, resolved: None });
            }
            Event::CaseResolved { id, resolution } => {
                if let Some(case) = self.cases.get_mut(id) {
                    case.resolved = Some((resolution.clone(), now));
                }
            }
        }
    }

    fn round_mut(&mut self, key: &RoundKey, asset: Asset) -> &mut Round {
        self.rounds.entry(key.clone()).or_insert_with(|| Round {
            sent: Flow::none(asset),
            received: Flow::none(asset),
            closed: None,
            settled: None,
        })
    }
}
