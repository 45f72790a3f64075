//! The rooms of orders: customer and driver share one while the order is under way, and can read
//! it afterwards. It is not stored: it is what the order says.

use async_trait::async_trait;

use super::Orders;
use crate::error::Result;
use crate::ids::{OrderId, RoomId, UserId};
use crate::orders::model::Order;
use crate::rooms::model::{Member, Membership, OrderRoom, Room};
use crate::rooms::service::GivenRooms;
use crate::text::DisplayName;

/// Rooms of orders under way that one user is shown.
const MOST: u32 = 200;

#[async_trait]
impl GivenRooms for Orders {
    async fn room(&self, id: RoomId) -> Result<Option<(Room, Vec<Member>)>> {
        let order = self.store.order(OrderId::from(id)).await?;
        Ok(order.as_ref().and_then(room))
    }

    async fn rooms_of(&self, user: UserId) -> Result<Vec<Membership>> {
        let orders = self.store.under_way(user, MOST).await?;
        let of_user = |(room, members): (Room, Vec<Member>)| {
            let count = members.len() as u64;
            let member = members.into_iter().find(|member| member.user == user)?;
            Some(Membership { room, member, count })
        };
        Ok(orders.iter().filter_map(room).filter_map(of_user).collect())
    }
}

fn room(order: &Order) -> Option<(Room, Vec<Member>)> {
    let (driver, taken_at) = (order.driver?, order.taken_at()?);
    let member = |user| Member { user, is_admin: false, joined_at: taken_at, since: 0 };
    let room = Room {
        id: order.id.room(),
        name: DisplayName::from_stored(format!("Order {}", order.number)),
        description: None,
        is_private: true,
        owner: order.customer,
        created_at: taken_at,
        of_order: Some(OrderRoom { order: order.id, is_archived: order.status.is_final() }),
    };
    Some((room, vec![member(order.customer), member(driver)]))
}
