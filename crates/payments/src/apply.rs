//! Applying events of payments.

use money::{PaymentId, Timestamp, invariant};

use crate::{DepositOf, Event, Kind, Owner, Payment, PaymentState, Payments};

impl Payments {
    /// Applies one event.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::ProfileSet(profile) => self.profile = Some(profile.clone()),
            Event::BooksOpened(books) => {
                self.books.insert(books.asset, *books);
            }
            Event::RailSet(row) => self.rails.push(row.clone()),
            Event::RailChanged { rail, status } => {
                self.status.insert(*rail, *status);
            }
            Event::AccountOpened { customer, account, number, asset } => {
                self.numbers.insert(number.clone(), *account);
                let owner = Owner { customer: *customer, number: number.clone(), asset: *asset };
                self.owners.insert(*account, owner);
                self.accounts.entry_or_insert_with(*customer, Vec::new).push(*account);
            }
            Event::Created(payment) => self.create(payment),
            Event::Moved { payment, to } => self.move_to(*payment, to),
            Event::MessageTaken { key, fingerprint, payment } => {
                self.received.insert(key.clone(), (*fingerprint, *payment));
            }
            Event::SerialsUsed { next, message } => {
                self.next_serial = *next;
                self.next_message = *message;
            }
            Event::AnswerConflict { payment, .. } => {
                self.conflicts.insert(*payment);
            }
        }
    }

    fn create(&mut self, payment: &Payment) {
        if payment.kind != Kind::Deposit {
            self.count_usage(payment);
        }
        self.watch(payment.id, &payment.state);
        let taken = self.payments.insert(payment.id, payment.clone()).is_some();
        invariant!(!taken, "payment {} created twice", payment.id);
    }

    fn move_to(&mut self, id: PaymentId, to: &PaymentState) {
        let Some(payment) = self.payments.get_mut(&id) else {
            invariant!(false, "payment {id} is unknown");
            return;
        };
        let before = std::mem::replace(&mut payment.state, to.clone());
        if let PaymentState::Credited { to: DepositOf::Account(account), .. } = to
            && let Some(owner) = self.owners.get(account)
        {
            payment.account = Some(*account);
            payment.customer = Some(owner.customer);
        }
        let ended = payment.clone();
        if let Some(at) = due_at(&before) {
            self.due.remove(&(at, id));
        }
        self.watch(id, to);
        if matches!(to, PaymentState::Cancelled { .. } | PaymentState::Rejected { .. }) {
            self.give_usage_back(&ended);
        }
    }

    fn watch(&mut self, id: PaymentId, state: &PaymentState) {
        if let Some(at) = due_at(state) {
            self.due.insert((at, id));
        }
        if let PaymentState::Sending { message, .. } | PaymentState::Returning { message } = state {
            self.sent.insert(message.clone(), id);
        }
    }

    fn count_usage(&mut self, payment: &Payment) {
        let Some(customer) = payment.customer else { return };
        let asset = payment.amount.asset();
        let mut usage = self.usage(customer, asset, self.local_date(payment.created_at));
        for sum in [&mut usage.day_sum, &mut usage.month_sum, &mut usage.year_sum] {
            *sum = sum.plus(payment.amount).unwrap_or(*sum);
        }
        self.usage.insert((customer, asset), usage);
    }

    /// Limits count what left: a payment that failed gives back what it used, in the periods it was made in.
    fn give_usage_back(&mut self, payment: &Payment) {
        let (Some(customer), asset) = (payment.customer, payment.amount.asset()) else { return };
        let made = self.local_date(payment.created_at);
        let Some(usage) = self.usage.get_mut(&(customer, asset)) else { return };
        let ((year, month, _), (now_year, now_month, _)) = (made.civil(), usage.day.civil());
        let periods = [
            (made == usage.day, &mut usage.day_sum),
            ((year, month) == (now_year, now_month), &mut usage.month_sum),
            (year == now_year, &mut usage.year_sum),
        ];
        for (counts, sum) in periods {
            if counts {
                *sum = sum.minus(payment.amount).unwrap_or(*sum);
            }
        }
    }
}

/// When a payment in this state needs attention.
const fn due_at(state: &PaymentState) -> Option<Timestamp> {
    match state {
        PaymentState::Waiting { until, .. } => Some(*until),
        PaymentState::Sent { answer_by, .. } => Some(*answer_by),
        PaymentState::Cancelling { answer_by, .. } => *answer_by,
        PaymentState::Sending { .. }
        | PaymentState::Confirmed { .. }
        | PaymentState::Done
        | PaymentState::Cancelled { .. }
        | PaymentState::Rejected { .. }
        | PaymentState::Returned { .. }
        | PaymentState::Credited { .. }
        | PaymentState::Returning { .. } => None,
    }
}
