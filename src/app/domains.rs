//! The domains, put together on a store and a hub.

use std::sync::Arc;

use crate::admin::service::Admin;
use crate::auth::mail::Mailer;
use crate::auth::service::{Auth, Parts as AuthParts};
use crate::auth::store::{AuthStore, embedded::EmbeddedAuthStore, mongo::MongoAuthStore};
use crate::chat::service::{Chat, Parts as ChatParts};
use crate::chat::store::{ChatStore, embedded::EmbeddedChatStore, mongo::MongoChatStore};
use crate::config::{Config, Secrets};
use crate::drivers::service::{Drivers, Parts as DriverParts};
use crate::drivers::store::{DriverStore, embedded::EmbeddedDriverStore, mongo::MongoDriverStore};
use crate::limits::Limits;
use crate::orders::service::{Orders, Parts as OrderParts};
use crate::orders::store::{OrderStore, embedded::EmbeddedOrderStore, mongo::MongoOrderStore};
use crate::presence::service::Presence;
use crate::presence::store::{
    PresenceStore, embedded::EmbeddedPresenceStore, mongo::MongoPresenceStore,
};
use crate::privacy::erasing::{Erasing, Parts as ErasingParts};
use crate::privacy::store::{
    ErasureStore, embedded::EmbeddedErasureStore, mongo::MongoErasureStore,
};
use crate::realtime::events::EventTable;
use crate::realtime::hub::Hub;
use crate::rooms::service::{Parts as RoomParts, Rooms};
use crate::rooms::store::{RoomStore, embedded::EmbeddedRoomStore, mongo::MongoRoomStore};
use crate::store::Stores;
use crate::tracking::service::Tracking;
use crate::tracking::watch::{Parts as WatchParts, Watching};
use crate::users::service::Users;
use crate::users::store::{UserStore, embedded::EmbeddedUserStore, mongo::MongoUserStore};
use crate::{auth, chat, drivers, orders, presence, tracking};

/// Every domain's service.
pub(super) struct Domains {
    pub(super) limits: Arc<Limits>,
    pub(super) auth: Arc<Auth>,
    pub(super) users: Arc<Users>,
    pub(super) admin: Arc<Admin>,
    pub(super) presence: Arc<Presence>,
    pub(super) rooms: Arc<Rooms>,
    pub(super) chat: Arc<Chat>,
    pub(super) drivers: Arc<Drivers>,
    pub(super) orders: Arc<Orders>,
    pub(super) tracking: Arc<Tracking>,
    pub(super) watching: Arc<Watching>,
    pub(super) erasing: Arc<Erasing>,
}

/// Every domain's store.
pub(super) struct DomainStores {
    pub(super) auth: Arc<dyn AuthStore>,
    users: Arc<dyn UserStore>,
    pub(super) presence: Arc<dyn PresenceStore>,
    pub(super) rooms: Arc<dyn RoomStore>,
    pub(super) chat: Arc<dyn ChatStore>,
    pub(super) drivers: Arc<dyn DriverStore>,
    pub(super) orders: Arc<dyn OrderStore>,
    erasures: Arc<dyn ErasureStore>,
}

impl DomainStores {
    /// On the database that was chosen.
    pub(super) fn on(stores: &Stores) -> Self {
        match stores {
            Stores::Embedded(db) => Self {
                auth: Arc::new(EmbeddedAuthStore::new(db.clone())),
                users: Arc::new(EmbeddedUserStore::new(db.clone())),
                presence: Arc::new(EmbeddedPresenceStore::new(db.clone())),
                rooms: Arc::new(EmbeddedRoomStore::new(db.clone())),
                chat: Arc::new(EmbeddedChatStore::new(db.clone())),
                drivers: Arc::new(EmbeddedDriverStore::new(db.clone())),
                orders: Arc::new(EmbeddedOrderStore::new(db.clone())),
                erasures: Arc::new(EmbeddedErasureStore::new(db.clone())),
            },
            Stores::Mongo(db) => Self {
                auth: Arc::new(MongoAuthStore::new(db)),
                users: Arc::new(MongoUserStore::new(db)),
                presence: Arc::new(MongoPresenceStore::new(db)),
                rooms: Arc::new(MongoRoomStore::new(db)),
                chat: Arc::new(MongoChatStore::new(db)),
                drivers: Arc::new(MongoDriverStore::new(db)),
                orders: Arc::new(MongoOrderStore::new(db)),
                erasures: Arc::new(MongoErasureStore::new(db)),
            },
        }
    }
}

impl Domains {
    pub(super) fn compose(
        config: &Config,
        stores: &Stores,
        secrets: &Secrets,
        hub: &Arc<Hub>,
    ) -> Result<Self, String> {
        let on = DomainStores::on(stores);
        let limits = Arc::new(Limits::new(&config.rates, hub.clock()));
        let mailer = Mailer::new(config.accounts.smtp.as_ref(), config.env)?;
        let presence = Presence::new(on.presence, hub, config.presence.clone());
        let parts = AuthParts {
            store: on.auth,
            hub: hub.clone(),
            presence: presence.clone(),
            limits: limits.clone(),
            mailer,
            secrets: secrets.clone(),
        };
        let auth = Auth::new(parts, config);
        let users = Users::new(on.users, &auth, hub);
        let admin = Admin::new(&auth, &users, hub);
        let rooms = Rooms::new(RoomParts {
            store: on.rooms,
            auth: auth.clone(),
            presence: presence.clone(),
            hub: hub.clone(),
            limits: limits.clone(),
            secrets: secrets.clone(),
            grace: config.presence.grace,
        });
        let parts = ChatParts {
            store: on.chat,
            auth: auth.clone(),
            presence: presence.clone(),
            rooms: rooms.clone(),
            hub: hub.clone(),
            limits: limits.clone(),
        };
        let chat = Chat::new(parts, config.typing_timeout);
        presence.ask_for_contacts(chat.clone());
        rooms.ask_for_positions(chat.clone());
        let drivers = Drivers::new(DriverParts {
            store: on.drivers,
            auth: auth.clone(),
            hub: hub.clone(),
            limits: limits.clone(),
            grace: config.presence.grace,
            max_age: config.orders.location_max_age,
            retention: config.orders.location_retention,
        });
        let orders = Orders::new(OrderParts {
            store: on.orders,
            auth: auth.clone(),
            drivers: drivers.clone(),
            rooms: rooms.clone(),
            hub: hub.clone(),
            limits: limits.clone(),
            config: config.orders.clone(),
            grace: config.presence.grace,
        });
        let tracking = Tracking::new(&auth, &orders, &drivers, hub);
        let watching = Watching::new(WatchParts {
            auth: auth.clone(),
            drivers: drivers.clone(),
            orders: orders.clone(),
            hub: hub.clone(),
            limits: limits.clone(),
            config: config.drivers.clone(),
        });
        drivers.watch(vec![orders.clone(), tracking.clone(), watching.clone()]);
        orders.watch(vec![tracking.clone(), watching.clone()]);
        rooms.ask_for_given(orders.clone());
        // Auth first: it may end a socket whose login session has just ended.
        hub.watch(vec![
            auth.clone(),
            presence.clone(),
            rooms.clone(),
            chat.clone(),
            drivers.clone(),
            orders.clone(),
        ]);
        let erasing = Erasing::new(ErasingParts {
            store: on.erasures,
            auth: auth.clone(),
            presence: presence.clone(),
            rooms: rooms.clone(),
            chat: chat.clone(),
            drivers: drivers.clone(),
            orders: orders.clone(),
            hub: hub.clone(),
            grace: config.presence.grace,
        });
        Ok(Self {
            limits,
            auth,
            users,
            admin,
            presence,
            rooms,
            chat,
            drivers,
            orders,
            tracking,
            watching,
            erasing,
        })
    }

    /// Starts what a server does by itself, from time to time.
    pub(super) fn start(&self, config: &Config, hub: &Arc<Hub>) {
        hub.watch_expiry();
        self.limits.tidy();
        self.auth.remove_expired();
        if let Some(retention) = config.message_retention {
            self.chat.delete_old_texts(retention);
        }
        self.drivers.forget_old_history();
        self.orders.keep_dispatching();
        self.watching.keep_telling();
        self.erasing.keep_erasing();
    }

    /// What all of them understand and emit.
    pub(super) fn tables(&self, hub: &Arc<Hub>) -> Vec<EventTable> {
        vec![
            auth::events::table(&self.auth),
            chat::events::shared_table(&self.chat, hub),
            chat::events::table(&self.chat),
            chat::room_events::table(&self.chat, hub),
            presence::events::table(&self.presence),
            // The first frame of a raw socket before what the driver must hear.
            drivers::events::table(&self.drivers, hub),
            drivers::events::socket_table(&self.drivers, hub),
            drivers::events::admin_table(hub),
            orders::events::table(&self.orders),
            orders::events::socket_table(&self.orders),
            orders::events::admin_table(),
            tracking::events::table(&self.tracking),
            tracking::events::admin_table(),
            tracking::watch::events::table(&self.watching),
        ]
    }

    /// Writes what was accepted and is not on disk yet.
    pub(super) async fn close(&self) {
        self.chat.close().await;
        self.orders.close().await;
        self.drivers.close().await;
        if let Err(error) = self.presence.save().await {
            tracing::warn!(%error, "last seen times could not be saved");
        }
    }
}
