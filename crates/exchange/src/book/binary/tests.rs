#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use super::*;

fn order() -> NewOrder {
    NewOrder {
        seat: Seat::new(0x0403_0201),
        group: StpGroup::new(5),
        self_trade: SelfTrade::Decrement,
        side: Side::Ask,
        terms: Terms::Limit(Price::new(7)),
        in_force: InForce::PostOnly,
        quantity: Quantity::new(8),
        shown: Quantity::ZERO,
        trigger: None,
    }
}

/// Every kind of event, and of order.
fn all() -> Vec<BookEvent> {
    let (id, other) = (OrderId::new(1, 2), OrderId::new(u32::MAX, 3));
    let (a, b) = (Seat::new(4), Seat::new(5));
    let (price, quantity) = (Price::new(u64::MAX), Quantity::new(1 << 40));
    let mut events = vec![
        BookEvent::Waits { id },
        BookEvent::Triggered { id },
        BookEvent::Rested { id: other },
        BookEvent::Refreshed { id },
        BookEvent::Reduced { id, by: quantity, left: Quantity::new(1) },
        BookEvent::Moved { id, price },
        BookEvent::Uncrossed {
            bid: id,
            ask: other,
            bid_seat: a,
            ask_seat: b,
            price,
            quantity,
            bid_left: Quantity::ZERO,
            ask_left: quantity,
        },
    ];
    for side in [Side::Bid, Side::Ask] {
        events.push(BookEvent::Filled {
            taker: id,
            maker: other,
            taker_seat: a,
            maker_seat: b,
            side,
            price,
            quantity,
            taker_left: Quantity::ZERO,
            maker_left: quantity,
        });
    }
    for why in [EndReason::Cancelled, EndReason::NotFilled, EndReason::SelfTrade] {
        events.push(BookEvent::Ended { id, left: quantity, why });
    }
    let terms = [
        Terms::Limit(price),
        Terms::Budget { ticks_lots: 1, worst: price },
        Terms::WholeFor { ticks_lots: u64::MAX },
    ];
    let kinds = [SelfTrade::CancelTaker, SelfTrade::CancelMaker, SelfTrade::CancelBoth, SelfTrade::Decrement];
    let times = [InForce::UntilEnded, InForce::ImmediateOrCancel, InForce::FillOrKill, InForce::PostOnly];
    for (self_trade, in_force) in kinds.into_iter().zip(times) {
        for terms in terms {
            for (side, shown, trigger) in
                [(Side::Bid, Quantity::ZERO, Some(price)), (Side::Ask, Quantity::new(3), None)]
            {
                let order =
                    NewOrder { self_trade, in_force, terms, side, shown, trigger, quantity, ..order() };
                events.push(BookEvent::Entered { id, order });
            }
        }
    }
    events
}

#[test]
fn every_event_comes_back() {
    let events = all();
    let mut bytes = Vec::new();
    write(&events, &mut bytes);
    let mut found = Vec::new();
    read(&bytes, &mut found).unwrap();
    assert_eq!(found, events);
    for event in events {
        let bytes = minicbor::to_vec(event).unwrap();
        assert_eq!(minicbor::decode::<BookEvent>(&bytes).unwrap(), event);
    }
}

#[derive(Debug, PartialEq, minicbor::Encode, minicbor::Decode)]
struct Holder {
    #[cbor(n(0), with = "crate::book::binary")]
    events: Vec<BookEvent>,
}

#[test]
fn a_list_is_a_field_of_cbor() {
    let holder = Holder { events: all() };
    let bytes = minicbor::to_vec(&holder).unwrap();
    assert_eq!(minicbor::decode::<Holder>(&bytes).unwrap(), holder);
}

/// The bytes of a journal that was written earlier. A change here is a change of the format.
#[test]
fn bytes_stay_as_they_are() {
    let mut bytes = Vec::new();
    let events = [
        BookEvent::Entered { id: OrderId::new(2, 1), order: order() },
        BookEvent::Rested { id: OrderId::new(2, 1) },
        BookEvent::Ended { id: OrderId::new(2, 1), left: Quantity::new(8), why: EndReason::Cancelled },
    ];
    write(&events, &mut bytes);
    let expected: &[u8] = &[
        1, 1, 1, 0, 0, 0, 2, 0, 0, 0, 0b1_1111, 0, 1, 2, 3, 4, 5, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0,
        0, 0, 0, 0, 0, 6, 1, 0, 0, 0, 2, 0, 0, 0, 10, 1, 0, 0, 0, 2, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    assert_eq!(bytes, expected);
}

#[test]
fn other_bytes_are_refused() {
    let check = |bytes: &[u8], fault: BinaryFault| {
        assert_eq!(read(bytes, &mut Vec::new()), Err(fault), "{bytes:?}");
    };
    check(&[], BinaryFault::Short);
    check(&[2], BinaryFault::Version(2));
    check(&[1, 0], BinaryFault::Code(0));
    check(&[1, 11], BinaryFault::Code(11));
    check(&[1, 6, 0], BinaryFault::Short);
    let mut bytes = Vec::new();
    write(&all(), &mut bytes);
    let mut whole = 0;
    for end in 1..bytes.len() {
        let mut found = Vec::new();
        match read(&bytes[..end], &mut found) {
            Ok(()) => whole += 1,
            Err(fault) => assert_eq!(fault, BinaryFault::Short),
        }
    }
    assert_eq!(whole, all().len());
    let two = [1, 6, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut cbor = Vec::new();
    Encoder::new(&mut cbor).bytes(&two).unwrap();
    assert!(minicbor::decode::<BookEvent>(&cbor).is_err());
}
