//! The state machine against what CONTRACT §7 and §10 say of it.

use proptest::prelude::*;

use super::*;
use crate::error::Code;
use crate::ids::OrderId;
use crate::orders::model::{Contents, Item, ItemName};

const NOW: Timestamp = Timestamp::from_millis(1_747_758_600_000);

fn actor(n: u8, role: Role) -> Actor {
    let mut bytes = [0; 12];
    bytes[11] = n;
    Actor { user: UserId::from_bytes(bytes), role }
}

fn customer() -> Actor {
    actor(1, Role::User)
}

fn admin() -> Actor {
    actor(2, Role::Admin)
}

fn restaurant() -> Actor {
    actor(3, Role::Restaurant)
}

fn driver(n: u8) -> Actor {
    actor(10 + n, Role::Driver)
}

fn placed() -> Order {
    let item = Item { name: ItemName::parse("tea").unwrap(), quantity: 1, price: None };
    let contents = Contents {
        items: vec![item],
        total: None,
        pickup: None,
        dropoff: None,
        note: None,
        contact: None,
        earnings: None,
    };
    let by = customer().user;
    Order {
        id: OrderId::generate(NOW),
        number: 1,
        customer: by,
        restaurant: Some(restaurant().user),
        contents,
        client_order_id: None,
        status: Status::Pending,
        driver: None,
        earnings: Money::from_minor(300),
        offered_to: None,
        dispatch_at: None,
        passed: Vec::new(),
        rejections: Vec::new(),
        history: vec![Entry { status: Status::Pending, at: NOW, by, driver: None, reason: None }],
        created_at: NOW,
        updated_at: NOW,
    }
}

/// The order after a change, as a store makes it.
fn apply(order: &mut Order, change: Change) {
    order.status = change.status;
    order.driver = change.driver;
    order.earnings = change.earnings;
    order.offered_to = change.offered_to;
    order.dispatch_at = change.dispatch_at;
    match change.passed {
        Passed::Keep => {}
        Passed::Add(driver) => order.passed.push(driver),
        Passed::Remove(driver) => order.passed.retain(|one| *one != driver),
    }
    order.rejections.extend(change.rejection);
    order.history.extend(change.entry);
    order.updated_at = change.at;
}

fn act(order: &mut Order, action: &Action, by: Actor) -> Result<(), Code> {
    match step(order, action, by, NOW) {
        Ok(Some(change)) => apply(order, change),
        Ok(None) => {}
        Err(error) => return Err(error.code),
    }
    Ok(())
}

/// An order that has come so far, with driver 0 where it has one.
fn at(status: Status) -> Order {
    let mut order = placed();
    let steps: &[(Action, Actor)] = &[
        (Action::Accept, driver(0)),
        (Action::Advance(Status::OutForDelivery), driver(0)),
        (Action::Advance(Status::Delivered), driver(0)),
    ];
    let taken = match status {
        Status::Pending => 0,
        Status::Preparing => 1,
        Status::OutForDelivery => 2,
        Status::Delivered => 3,
        Status::Cancelled => {
            act(&mut order, &Action::Cancel(None), customer()).unwrap();
            0
        }
    };
    for (action, by) in &steps[..taken] {
        act(&mut order, action, *by).unwrap();
    }
    assert_eq!(order.status, status);
    order
}

#[test]
fn an_order_goes_forward_one_step_at_a_time() {
    for from in Status::ALL {
        for to in Status::ALL {
            let mut order = at(from);
            let legal = matches!(
                (from, to),
                (Status::Preparing, Status::OutForDelivery)
                    | (Status::OutForDelivery, Status::Delivered)
            );
            let by = if order.driver.is_some() { driver(0) } else { admin() };
            let expected = if legal { Ok(()) } else { Err(Code::Conflict) };
            assert_eq!(act(&mut order, &Action::Advance(to), by), expected, "{from:?} to {to:?}");
        }
    }
}

#[test]
fn it_is_cancelled_from_any_state_before_delivered_and_not_by_its_driver() {
    for from in Status::ALL {
        let expected = if from.is_final() { Err(Code::Conflict) } else { Ok(()) };
        for by in [customer(), restaurant(), admin()] {
            assert_eq!(act(&mut at(from), &Action::Cancel(None), by), expected, "{from:?}");
        }
        assert_eq!(act(&mut at(from), &Action::Cancel(None), driver(0)), Err(Code::Forbidden));
        let stranger = actor(9, Role::User);
        assert_eq!(act(&mut at(from), &Action::Cancel(None), stranger), Err(Code::NotFound));
    }
}

#[test]
fn the_first_to_accept_has_it_and_the_others_hear_conflict() {
    let mut order = at(Status::Preparing);
    assert_eq!(act(&mut order, &Action::Accept, driver(0)), Ok(()), "again");
    assert_eq!(act(&mut order, &Action::Accept, driver(1)), Err(Code::Conflict));
    assert_eq!(order.history.len(), 2);
    assert_eq!(act(&mut placed(), &Action::Accept, customer()), Err(Code::Forbidden));
    for status in [Status::Delivered, Status::Cancelled] {
        assert_eq!(act(&mut at(status), &Action::Accept, driver(0)), Err(Code::Conflict));
    }
}

#[test]
fn an_offer_is_for_one_driver_and_a_rejection_for_good() {
    let mut order = placed();
    let until = NOW + std::time::Duration::from_secs(30);
    let change = offer(&order, driver(0).user, until, NOW);
    apply(&mut order, change);
    assert_eq!(act(&mut order.clone(), &Action::Accept, driver(1)), Err(Code::Conflict));
    assert_eq!(act(&mut order.clone(), &Action::Accept, driver(0)), Ok(()));
    act(&mut order, &Action::Reject(None), driver(0)).unwrap();
    assert_eq!((order.offered_to, order.dispatch_at), (None, Some(NOW)));
    act(&mut order, &Action::Reject(None), driver(0)).unwrap();
    assert_eq!(order.rejections.len(), 1);
    assert_eq!(act(&mut order, &Action::Accept, driver(0)), Err(Code::Conflict));
    let change = offer(&order, driver(1).user, until, NOW);
    apply(&mut order, change);
    let change = pass(&order, NOW);
    apply(&mut order, change);
    assert_eq!((order.offered_to, order.passed.as_slice()), (None, &[driver(1).user][..]));
}

#[test]
fn only_its_driver_and_admins_move_it_on() {
    let on = Action::Advance(Status::OutForDelivery);
    let expected = [
        (driver(0), Ok(())),
        (admin(), Ok(())),
        (driver(1), Err(Code::NotFound)),
        (customer(), Err(Code::Forbidden)),
        (restaurant(), Err(Code::Forbidden)),
    ];
    for (by, expected) in expected {
        assert_eq!(act(&mut at(Status::Preparing), &on, by), expected, "{by:?}");
    }
    assert_eq!(act(&mut placed(), &on, driver(1)), Err(Code::Forbidden), "one that could take it");
}

#[test]
fn an_admin_gives_it_and_takes_it_back() {
    let mut order = placed();
    let give = |n| Action::Assign(driver(n).user, Some(Money::from_minor(999)));
    assert_eq!(act(&mut order, &give(0), driver(0)), Err(Code::Forbidden));
    act(&mut order, &give(0), admin()).unwrap();
    assert_eq!(order.earnings, Money::from_minor(999));
    assert_eq!(act(&mut order, &give(0), admin()), Ok(()), "the same driver again");
    assert_eq!(act(&mut order, &give(1), admin()), Err(Code::Conflict));
    act(&mut order, &Action::Unassign, admin()).unwrap();
    assert_eq!((order.status, order.driver), (Status::Pending, None));
    assert_eq!(act(&mut order, &Action::Unassign, admin()), Err(Code::Conflict));
    act(&mut order, &give(1), admin()).unwrap();
    assert_eq!(order.taken_at(), Some(NOW));
}

#[test]
fn a_driver_must_be_told_of_what_they_got_and_of_what_they_lost_but_not_of_what_they_do() {
    use NoticeKind::{Assigned, Cancelled};
    use Status::{Delivered, OutForDelivery, Pending, Preparing};
    let notice = |no, kind| Notify::Set(Notice { driver: driver(0).user, no, kind });
    let knows = Notify::Clear(driver(0).user);
    for (from, action, by, expected) in [
        (Pending, Action::Accept, driver(0), notice(2, Assigned)),
        (Pending, Action::Assign(driver(0).user, None), admin(), notice(2, Assigned)),
        (Pending, Action::Reject(None), driver(0), Notify::Keep),
        (Pending, Action::Cancel(None), customer(), Notify::Keep),
        (Preparing, Action::Cancel(None), customer(), notice(3, Cancelled)),
        (OutForDelivery, Action::Cancel(None), admin(), notice(4, Cancelled)),
        (Preparing, Action::Unassign, admin(), notice(3, Cancelled)),
        (OutForDelivery, Action::Unassign, admin(), notice(4, Cancelled)),
        (Preparing, Action::Advance(OutForDelivery), driver(0), knows),
        (Preparing, Action::Advance(OutForDelivery), admin(), Notify::Keep),
        (OutForDelivery, Action::Advance(Delivered), driver(0), knows),
        // Of one that is over nobody needs to hear that it was given.
        (OutForDelivery, Action::Advance(Delivered), admin(), knows),
    ] {
        let mut order = at(from);
        let change = step(&order, &action, by, NOW).unwrap().unwrap();
        assert_eq!(change.notify, expected, "{from:?} {action:?} {by:?}");
        if let Notify::Set(notice) = change.notify {
            apply(&mut order, change);
            assert_eq!(order.history.len(), notice.no as usize);
        }
    }
    let order = placed();
    for change in
        [offer(&order, driver(0).user, NOW, NOW), pass(&order, NOW), wait(&order, None, NOW)]
    {
        assert_eq!(change.notify, Notify::Keep);
    }
}

fn actions() -> impl Strategy<Value = (Action, Actor)> {
    let action = prop_oneof![
        3 => Just(Action::Accept),
        2 => Just(Action::Reject(None)),
        4 => (0..5_usize).prop_map(|n| Action::Advance(Status::ALL[n])),
        1 => Just(Action::Cancel(None)),
        1 => (0..3_u8).prop_map(|n| Action::Assign(driver(n).user, None)),
        1 => Just(Action::Unassign),
    ];
    let by = prop_oneof![
        Just(customer()),
        Just(admin()),
        Just(restaurant()),
        Just(actor(9, Role::User)),
        (0..3_u8).prop_map(driver),
    ];
    (action, by)
}

proptest! {
    /// Whatever anybody does, an order is in a state that its history explains.
    #[test]
    fn no_sequence_leaves_the_state_machine(actions in prop::collection::vec(actions(), 0..60)) {
        let mut order = placed();
        for (action, by) in actions {
            let before = order.clone();
            let outcome = act(&mut order, &action, by);
            prop_assert_eq!(&order.history[..before.history.len()], &before.history[..]);
            prop_assert!(order.history.len() <= before.history.len() + 1);
            if outcome.is_err() {
                prop_assert_eq!(&order, &before);
            }
            let last = order.history.last().unwrap();
            prop_assert_eq!((last.status, last.driver), (order.status, order.driver));
            prop_assert_eq!(order.status.is_under_way(), order.taken_at().is_some() && !order.status.is_final());
            let legal = order.history.windows(2).all(|pair| matches!(
                (pair[0].status, pair[1].status),
                (Status::Pending, Status::Preparing)
                    | (Status::Preparing, Status::OutForDelivery)
                    | (Status::OutForDelivery, Status::Delivered)
                    | (Status::Preparing | Status::OutForDelivery, Status::Pending)
                    | (Status::Pending | Status::Preparing | Status::OutForDelivery, Status::Cancelled)
            ));
            prop_assert!(legal, "{:?}", order.history);
        }
    }
}
