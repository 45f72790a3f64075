//! The socket events of orders (CONTRACT §7).

use std::sync::Arc;

use super::event_wire::{
    NEW_ORDER, ORDER_ACCEPTED, ORDER_CANCELLED, ORDER_PLACED, ORDER_STATUS_UPDATED,
    ORDER_UNASSIGNED, REMOVE_ORDER,
};
use super::lifecycle::Action;
use super::requests::{PlaceOrderBody, ReasonPayload, UpdateStatusPayload};
use super::service::{Orders, may_place};
use super::v1::{
    Assignment, NEW_OFFER, NameOrder, OFFER_REMOVED, ORDER_ASSIGNED, ORDER_TAKEN, ORDER_UPDATE,
};
use super::wire::OneOrder;
use crate::drivers::wire::{ADMIN_SOCKET, ADMIN_SOCKET_AT, DRIVER_SOCKET, DRIVER_SOCKET_AT};
use crate::error::Result;
use crate::realtime::events::{ErrorEvent, EventTable, ServerEvent};
use crate::realtime::session::Session;
use crate::text::Description;

/// What failures without an ack are told with.
const ORDER_ERROR: ServerEvent<ErrorEvent> = ServerEvent::reliable("orderError", &["/orders"]);

/// What `/orders` and `/` understand and emit of orders.
pub fn table(orders: &Arc<Orders>) -> EventTable {
    let moved = "Moves an order one step on; its driver does, or an admin.";
    let table = EventTable::new(&["/orders"], &["orderError"])
        .on("placeOrder", "Places an order; acknowledged when on disk.", {
            let orders = orders.clone();
            move |session, payload| place(orders.clone(), session, payload)
        })
        .on("orderAccept", "Takes a pending order; of any number of drivers one wins.", {
            let orders = orders.clone();
            move |session, payload| act(orders.clone(), session, payload, |_| Action::Accept)
        })
        .on("orderReject", "Does not want a pending order, now or later.", {
            let orders = orders.clone();
            move |session, payload| act(orders.clone(), session, payload, Action::Reject)
        })
        .on("cancelOrder", "Cancels an order that is not delivered.", {
            let orders = orders.clone();
            move |session, payload| act(orders.clone(), session, payload, Action::Cancel)
        })
        .on("updateOrderStatus", moved, {
            let orders = orders.clone();
            move |session, payload| update_status(orders.clone(), session, payload)
        })
        // As seed 001's clients spell it.
        .on("udpateOrderStatus", moved, {
            let orders = orders.clone();
            move |session, payload| update_status(orders.clone(), session, payload)
        })
        .on_connect({
            let orders = orders.clone();
            move |session, _| greet(orders.clone(), session)
        });
    emitted(table)
}

/// What the driver app's raw WebSocket understands and emits of orders (seed 002).
pub fn socket_table(orders: &Arc<Orders>) -> EventTable {
    EventTable::new(&[DRIVER_SOCKET], &["error"])
        .at(DRIVER_SOCKET_AT.0, DRIVER_SOCKET_AT.1)
        .on("accept_order", "Takes an order that can be had; `order_assigned` follows.", {
            let orders = orders.clone();
            move |session, payload| {
                answer_offer(orders.clone(), session, payload, |_| Action::Accept)
            }
        })
        .on("reject_order", "Does not want an order, now or later.", {
            let orders = orders.clone();
            move |session, payload| answer_offer(orders.clone(), session, payload, Action::Reject)
        })
        .on_connect({
            let orders = orders.clone();
            move |session, _| greet(orders.clone(), session)
        })
        .emits(
            &ORDER_ASSIGNED,
            "The driver has an order; again at the next connect if this socket dies.",
        )
        .emits(&ORDER_TAKEN, "The driver has an order no more; again as above.")
        .emits(
            &NEW_OFFER,
            "An order can be had, to available drivers or to the one it is offered to.",
        )
        .emits(&OFFER_REMOVED, "An order cannot be had any more.")
}

/// What the raw WebSocket of the back office emits of orders.
pub fn admin_table() -> EventTable {
    EventTable::new(&[ADMIN_SOCKET], &["error"])
        .at(ADMIN_SOCKET_AT.0, ADMIN_SOCKET_AT.1)
        .emits(&ORDER_UPDATE, "An order was placed or has come further.")
}

fn emitted(table: EventTable) -> EventTable {
    table
        .emits(&ORDER_PLACED, "An order was placed, to its customer and admins.")
        .emits(
            &NEW_ORDER,
            "An order can be had, to available drivers or to the one it is offered to.",
        )
        .emits(&ORDER_ACCEPTED, "A driver has an order, to its customer, the driver and admins.")
        .emits(&REMOVE_ORDER, "An order cannot be had any more, to drivers who were told of it.")
        .emits(
            &ORDER_STATUS_UPDATED,
            "An order has come further, to its customer, its driver, admins and who follows it.",
        )
        .emits(&ORDER_CANCELLED, "An order was cancelled, or taken from this driver.")
        .emits(&ORDER_UNASSIGNED, "No driver is left to be asked, to the customer and admins.")
        .emits(
            &ORDER_ASSIGNED,
            "The driver has an order; again at the next connect if this socket dies.",
        )
        .emits(&ORDER_TAKEN, "The driver has an order no more; again as above.")
        .emits(&ORDER_ERROR, "What was sent has failed.")
}

async fn place(
    orders: Arc<Orders>,
    session: Arc<Session>,
    payload: PlaceOrderBody,
) -> Result<OneOrder> {
    may_place(session.caller)?;
    let order = orders.place(session.caller, payload.parse()?).await?;
    Ok(OneOrder { order })
}

async fn act(
    orders: Arc<Orders>,
    session: Arc<Session>,
    payload: ReasonPayload,
    action: impl FnOnce(Option<Description>) -> Action,
) -> Result<OneOrder> {
    orders.count(session.caller)?;
    let (order, reason) = payload.parse()?;
    let order = orders.act(session.caller, order, action(reason)).await?;
    Ok(OneOrder { order })
}

async fn answer_offer(
    orders: Arc<Orders>,
    session: Arc<Session>,
    payload: NameOrder,
    action: impl FnOnce(Option<Description>) -> Action,
) -> Result<Assignment> {
    orders.count(session.caller)?;
    let (order, reason) = payload.parse()?;
    orders.act_v1(session.caller, order, action(reason)).await
}

async fn update_status(
    orders: Arc<Orders>,
    session: Arc<Session>,
    payload: UpdateStatusPayload,
) -> Result<OneOrder> {
    orders.count(session.caller)?;
    let (order, action) = payload.parse()?;
    let order = orders.act(session.caller, order, action).await?;
    Ok(OneOrder { order })
}

async fn greet(orders: Arc<Orders>, session: Arc<Session>) {
    if let Err(error) = orders.greet(&session).await {
        tracing::warn!(%error, driver = %session.caller.user, "a driver was not told of orders, cut");
        // The client comes back, and hears of them then.
        session.cut();
    }
}
