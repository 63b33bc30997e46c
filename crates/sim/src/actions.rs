//! What customers, other banks and operators do, right and wrong.

use bank::{Command, Refusal, Submission};
use identity::Actor;
use money::{Amount, CommandId, PaymentId, Text};
use payments::{AccountNumber, BankNumber, Counterparty, DepositOf, Intent, PaymentState, Rail};
use sandbox::{Control, SendCredit};

use crate::agreement::{SHOWN_MAX, payments_count};
use crate::books::ASSET;
use crate::opening::OUR_BANK;
use crate::outside::jiff_time;
use crate::run::Sim;
use crate::shell::Reply;

/// Payees at the other banks of the sandbox: those that confirm, are closed or frozen, send back, are slow, are silent, or do not exist.
const PAYEES: [(&str, &str, &str); 12] = [
    ("102100000099", "6210990000000001", "陈静"),
    ("103100000026", "6210260000000001", "赵雷"),
    ("102100000099", "6210990000000003", "江南茶业有限公司"),
    ("103100000026", "6210260000000003", "Haihe Machinery Ltd"),
    ("102100000099", "6210990000000011", "孙丽"),
    ("103100000026", "6210260000000012", "胡雪"),
    ("102100000099", "6210990000000021", "周婷"),
    ("103100000026", "6210260000000021", "林峰"),
    ("103100000026", "6210260000000022", "郭涛"),
    ("102100000099", "6210990000000023", "徐敏"),
    ("102100000099", "6210990000009999", "无人"),
    ("102100000099", "6210990000000002", "别人"),
];
/// Answered commands kept to be sent again.
const ANSWERED_MAX: usize = 64;

impl Sim {
    /// Whether the world can take a few more payments, with those on their way to it, and still show all of them.
    fn has_room(&self) -> bool {
        let is_coming = |payment: &&payments::Payment| {
            matches!(payment.state, PaymentState::Waiting { .. } | PaymentState::Sending { .. })
        };
        let coming = self.shell.bank.payments().payments().filter(is_coming).count();
        let coming = coming.saturating_add(self.unsure.len()).saturating_add(8);
        payments_count(&self.outside.world).saturating_add(coming) < SHOWN_MAX
    }

    pub(crate) fn customer_acts(&mut self) -> Result<(), String> {
        let mut group = Vec::new();
        for _ in 0..self.chance.between(1, 3) {
            let asked = self.customer_wants();
            // Some clients press the button twice.
            group.extend(asked.clone().filter(|_| self.chance.percent(10)));
            group.extend(asked);
        }
        self.ask_all(group)
    }

    pub(crate) fn customer_wants(&mut self) -> Option<Submission> {
        let index = self.chance.index(self.people.len());
        match self.chance.below(10) {
            0..=1 => self.transfer(index),
            2..=6 if self.has_room() => self.withdrawal(index),
            7 => self.undo(index),
            8 => self.wrong(index),
            _ => self.language(index),
        }
    }

    /// A client asks, and may not get the answer.
    pub(crate) fn ask(&mut self, submission: Submission) -> Result<(), String> {
        self.ask_all(vec![submission])
    }

    /// Clients ask at the same time: their commands become one group.
    fn ask_all(&mut self, group: Vec<Submission>) -> Result<(), String> {
        let known: Vec<Option<u64>> = group.iter().map(|asked| self.observer.entry_of(asked)).collect();
        let replies = self.give_all(group.clone())?;
        for ((submission, reply), known) in group.into_iter().zip(replies).zip(known) {
            self.hear(submission, reply, known)?;
        }
        Ok(())
    }

    /// A client hears a reply, or not. `known` is the durable entry of the command before it was given.
    fn hear(&mut self, submission: Submission, reply: Reply, known: Option<u64>) -> Result<(), String> {
        self.note(|| format!("{:?} {} -> {reply:?}", submission.actor, words(&submission.command)));
        match (&reply, known) {
            (Reply::Taken { seq, is_repeat: true }, Some(first)) if *seq == first => {}
            (Reply::Taken { .. } | Reply::Refused(_), Some(first)) => {
                return Err(format!("the command of entry {first} came again and was answered {reply:?}"));
            }
            (Reply::Taken { .. } | Reply::Refused(_) | Reply::NoRoom | Reply::Dead, _) => {}
        }
        let lost = self.faults.lost_replies && self.chance.percent(20);
        match reply {
            Reply::Dead | Reply::NoRoom => self.unsure.push(submission),
            Reply::Taken { .. } if lost => self.unsure.push(submission),
            Reply::Taken { .. } => {
                self.answered.push_back(submission);
                if self.answered.len() > ANSWERED_MAX {
                    self.answered.pop_front();
                }
            }
            Reply::Refused(_) => {}
        }
        Ok(())
    }

    /// Clients that got no answer ask again; others repeat what was answered, or misuse its id.
    pub(crate) fn clients_repeat(&mut self) -> Result<(), String> {
        if !self.unsure.is_empty() && self.chance.percent(60) {
            return self.ask_unsure();
        }
        let index = self.chance.index(self.answered.len());
        let Some(before) = self.answered.get(index).cloned() else { return Ok(()) };
        if self.chance.percent(70) {
            return self.ask(before);
        }
        let other = identity::Command::SetLocale(identity::Locale::En);
        let misused = Submission { command: Command::Identity(other), ..before };
        if self.observer.entry_of(&misused).is_some() {
            return Ok(());
        }
        let id = misused.id;
        match self.give(misused)? {
            Reply::Refused(Refusal::IdReused { .. }) | Reply::Dead | Reply::NoRoom => Ok(()),
            reply => Err(format!("{id} was used with another body and answered {reply:?}")),
        }
    }

    pub(crate) fn ask_unsure(&mut self) -> Result<(), String> {
        let unsure = std::mem::take(&mut self.unsure);
        self.ask_all(unsure)
    }

    fn submission(&mut self, index: usize, command: Command) -> Option<Submission> {
        let actor = Actor::Session(self.people.get(index)?.session);
        Some(Submission { id: CommandId::new(self.chance.number() | 1), actor, command })
    }

    /// Mostly small; sometimes around what makes a difference, sometimes more than there is.
    fn sum(&mut self) -> Amount {
        let minor = match self.chance.below(10) {
            0..=4 => self.chance.between(1, 20_000),
            5..=6 => self.chance.between(20_001, 80_000),
            7 => self.chance.between(49_999, 50_001),
            8 => self.chance.between(100_000, 500_000),
            _ => self.chance.between(1_000_000, 9_000_000),
        };
        Amount::new(ASSET, u128::from(minor))
    }

    fn intent(&mut self, index: usize, payee: Counterparty, amount: Amount) -> Option<Intent> {
        let from = self.people.get(index)?.account;
        let clock = self.clocks().bank.max(self.shell.bank.recorded_at());
        let payments = self.shell.bank.payments();
        let route = payments.route(&payee.bank, amount, payments.local_date(clock))?;
        Some(Intent {
            payment: PaymentId::new(self.chance.number() >> 2),
            from,
            payee,
            amount,
            fee_cap: route.fee,
            rail: route.rail,
            expires_at: clock.plus_ms(300_000),
            nonce: vec![5; 16].into(),
            note: Text::clip("simulated"),
        })
    }

    /// Signed where the amount asks for it, and now and then where not.
    fn pay(&mut self, index: usize, intent: Intent) -> Option<Submission> {
        let signs = intent.amount.minor() > 20_000 || self.chance.percent(10);
        let approval = if signs { Some(self.people.get_mut(index)?.approve(&intent).ok()?) } else { None };
        self.submission(index, Command::Pay { intent, approval })
    }

    fn transfer(&mut self, index: usize) -> Option<Submission> {
        let to = self.chance.index(self.people.len());
        let payee = self.ours(to)?;
        let amount = self.sum();
        let intent = self.intent(index, payee, amount)?;
        self.pay(index, intent)
    }

    fn ours(&self, index: usize) -> Option<Counterparty> {
        let person = self.people.get(index)?;
        let number = self.shell.bank.payments().owner(person.account)?.number.clone();
        let bank = BankNumber::new(OUR_BANK).ok()?;
        Some(Counterparty { name: Text::clip(person.name), account: number, bank })
    }

    fn withdrawal(&mut self, index: usize) -> Option<Submission> {
        let (bank, account, name) = self.chance.pick(&PAYEES).copied()?;
        let payee = Counterparty {
            name: Text::clip(name),
            account: AccountNumber::new(account).ok()?,
            bank: BankNumber::new(bank).ok()?,
        };
        let amount = self.sum();
        let intent = self.intent(index, payee, amount)?;
        self.pay(index, intent)
    }

    fn undo(&mut self, index: usize) -> Option<Submission> {
        let payments = self.shell.bank.payments();
        let is_waiting = |payment: &&payments::Payment| matches!(payment.state, PaymentState::Waiting { .. });
        let waiting = payments.payments().rev().find(is_waiting);
        let payment = waiting.or_else(|| payments.payments().next())?.id;
        self.submission(index, Command::Payments(payments::Command::Cancel { payment }))
    }

    fn language(&mut self, index: usize) -> Option<Submission> {
        let command = identity::Command::SetLocale(identity::Locale::Zh);
        self.submission(index, Command::Identity(command))
    }

    /// Requests that must be refused.
    fn wrong(&mut self, index: usize) -> Option<Submission> {
        let to = self.chance.index(self.people.len());
        let payee = self.ours(to)?;
        let amount = Amount::new(ASSET, 30_000);
        let intent = self.intent(index, payee, amount)?;
        let (intent, approval) = match self.chance.below(6) {
            0 => (Intent { amount: Amount::zero(ASSET), ..intent }, None),
            1 => (Intent { expires_at: intent.expires_at.minus_ms(600_000), ..intent }, None),
            2 => (intent, None),
            3 => {
                let approval = self.people.get_mut(index)?.approve(&intent).ok();
                (Intent { amount: Amount::new(ASSET, 40_000), ..intent }, approval)
            }
            4 => {
                let other = index.saturating_add(1).checked_rem(self.people.len())?;
                let approval = self.people.get_mut(other)?.approve(&intent).ok();
                (intent, approval)
            }
            _ => (Intent { from: crate::opening::books().reserve, ..intent }, None),
        };
        self.submission(index, Command::Pay { intent, approval })
    }

    /// Customers of the other banks pay ours: rightly, by another name, to no account; on both rails.
    pub(crate) fn others_pay(&mut self) -> Result<(), String> {
        if !self.has_room() {
            return Ok(());
        }
        let index = self.chance.index(self.people.len());
        let Some(payee) = self.ours(index) else { return Ok(()) };
        let rail = if self.chance.percent(75) { sandbox::Rail::Instant } else { sandbox::Rail::HighValue };
        let amount = self.chance.between(1, 3_000_000);
        let amount = Amount::new(ASSET, u128::from(amount)).decimal();
        let (to_name, to_account) = match self.chance.below(10) {
            0 => ("Somebody Else".to_owned(), payee.account.to_string()),
            1 => (payee.name.to_string(), "6217880000009999".to_owned()),
            _ => (payee.name.to_string(), payee.account.to_string()),
        };
        let request = SendCredit {
            to_account,
            to_name,
            amount,
            from_account: None,
            from_bank: None,
            rail: Some(rail),
            note: None,
            message_id: None,
            asset: None,
        };
        let answer = self.outside.world.control(&Control::SendCredit(request), jiff_time(self.now));
        self.note(|| format!("others pay by {rail:?}: {answer:?}"));
        Ok(())
    }

    /// Staff sends back or credits what lies in suspense.
    pub(crate) fn operator_acts(&mut self) -> Result<(), String> {
        let suspended = |payment: &&payments::Payment| {
            matches!(payment.state, PaymentState::Credited { to: DepositOf::Suspense, .. })
        };
        let found = self.shell.bank.payments().payments().find(suspended).map(|payment| payment.id);
        let Some(payment) = found.filter(|_| self.shell.is_alive()) else { return Ok(()) };
        let index = self.chance.index(self.people.len());
        let account = self.people.get(index).map(|person| person.account);
        let command = match account.filter(|_| self.chance.percent(50)) {
            Some(account) => payments::Command::CreditDeposit { payment, account },
            None => payments::Command::ReturnDeposit { payment, code: Text::clip("RJ02") },
        };
        let actor = Actor::Operator(Text::clip("teller"));
        let id = CommandId::new(self.chance.number() | 1);
        self.ask(Submission { id, actor, command: Command::Payments(command) })
    }

    /// The centre ends rounds and days, closes and opens, and sends back what it delivered.
    pub(crate) fn centre_works(&mut self) {
        let control = match self.chance.below(10) {
            0..=3 => Control::EndRound,
            4..=5 => match self.confirmed() {
                Some(message_id) => Control::Return(sandbox::ReturnPayment { message_id, code: None }),
                None => Control::Announce,
            },
            6 => {
                let system = self.chance.percent(50).then_some(sandbox::Rail::Instant);
                Control::EndOfDay(sandbox::Which { system })
            }
            7..=8 => {
                let state = if self.chance.percent(30) {
                    sandbox::HeldState::Closed
                } else {
                    sandbox::HeldState::Open
                };
                return self.hold_hours(state);
            }
            _ => Control::Announce,
        };
        let answer = self.outside.world.control(&control, jiff_time(self.now));
        self.note(|| format!("the centre: {control:?}: {answer:?}"));
        self.see_days();
    }

    fn confirmed(&self) -> Option<String> {
        self.shell.bank.payments().payments().find_map(|payment| match &payment.state {
            PaymentState::Confirmed { message, .. } if payment.rail != Rail::Internal => {
                Some(message.to_string())
            }
            _ => None,
        })
    }
}

/// A command in a few words, for the log.
fn words(command: &Command) -> String {
    match command {
        Command::Pay { intent, .. } => {
            format!("pays {} by {} to {}", intent.amount, intent.rail.name(), intent.payee.name)
        }
        other => {
            let all = format!("{other:?}");
            all.chars().take(90).collect()
        }
    }
}
