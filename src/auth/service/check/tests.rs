//! What the check remembers of those whom it has let in.

use super::*;
use crate::auth::mail::Mailer;
use crate::auth::requests::Register;
use crate::auth::service::Parts;
use crate::auth::store::embedded::{EmbeddedAuthStore, MIGRATIONS as ACCOUNTS};
use crate::caller::Role;
use crate::clock::Clock;
use crate::config::{Config, Secrets, SocketParser, Vars};
use crate::limits::Limits;
use crate::presence::service::Presence;
use crate::presence::store::embedded::{EmbeddedPresenceStore, MIGRATIONS as PRESENCE};
use crate::realtime::hub::Hub;
use crate::realtime::relay::local::Local;
use crate::realtime::session::testing::let_in;
use crate::store::embedded::scratch::Scratch;

struct World {
    auth: Arc<Auth>,
    hub: Arc<Hub>,
    db: Scratch,
}

fn world() -> World {
    let config = Config::from_vars(Vars::from_pairs(&[("BCRYPT_COST", "4")])).unwrap();
    let clock = Clock::system();
    let hub = Hub::new(Box::new(Local), SocketParser::Common, &clock);
    let db = Scratch::new(&[ACCOUNTS, PRESENCE].concat());
    let presence = Arc::new(EmbeddedPresenceStore::new(db.clone()));
    let parts = Parts {
        store: Arc::new(EmbeddedAuthStore::new(db.clone())),
        presence: Presence::new(presence, &hub, config.presence.clone()),
        limits: Arc::new(Limits::new(&config.rates, &clock)),
        mailer: Mailer::Nowhere,
        secrets: Secrets { current: "x".repeat(32).into(), previous: Vec::new() },
        hub: hub.clone(),
    };
    let auth = Auth::new(parts, &config);
    hub.watch(vec![auth.clone()]);
    World { auth, hub, db }
}

impl World {
    /// Somebody new whose token was just checked, as it is before a socket is let in.
    async fn checked(&self, name: &str, role: Role) -> Caller {
        let wanted = Register {
            username: name.parse().unwrap(),
            email: format!("{name}@example.com").parse().unwrap(),
            password: "password123".parse().unwrap(),
            name: None,
            image: None,
            role,
        };
        let logged_in = self.auth.register(wanted).await.unwrap();
        self.auth.check_token(&logged_in.token).await.unwrap()
    }

    /// Whether a socket stays that comes in behind the check.
    fn stays(&self, caller: Caller) -> bool {
        let (session, told) = let_in(&self.hub, caller);
        let stays = !session.is_closed();
        assert_eq!(*told.lock().unwrap(), if stays { vec![] } else { vec!["end"] });
        stays
    }
}

#[tokio::test]
async fn whose_login_session_ends_behind_the_check_of_the_token_does_not_stay() {
    let world = world();
    let [eve, bob] =
        [world.checked("eve", Role::User).await, world.checked("bob", Role::Driver).await];
    assert!(world.stays(eve));
    world.auth.logout(eve, false).await.unwrap();
    assert!(!world.stays(eve));
    assert!(world.stays(bob));
}

#[tokio::test]
async fn who_is_banned_behind_the_check_of_the_token_does_not_stay() {
    let world = world();
    let admin = world.checked("root", Role::Admin).await;
    let [eve, bob] =
        [world.checked("eve", Role::User).await, world.checked("bob", Role::Driver).await];
    assert!(world.stays(eve));
    world.auth.ban(admin, eve.user, None).await.unwrap();
    // As of a session that is not stored any more, of which no end is told.
    world.auth.logins.remove(&eve.login);
    assert!(!world.stays(eve));
    assert!(world.stays(bob));
    world.auth.lift_ban(admin, eve.user).await.unwrap();
    let fresh = Caller { login: LoginId::generate(world.auth.clock.now()), ..eve };
    assert!(world.stays(fresh));
}

#[tokio::test]
async fn who_is_erased_behind_the_check_of_the_token_does_not_stay() {
    let world = world();
    let [eve, bob] =
        [world.checked("eve", Role::User).await, world.checked("bob", Role::Driver).await];
    assert!(world.stays(eve));
    world.auth.erase(eve.user).await.unwrap();
    assert!(!world.stays(eve));
    assert!(world.stays(bob));
}

#[tokio::test]
async fn the_sockets_of_who_is_erased_end_also_where_the_account_cannot_be_read_then() {
    let world = world();
    let eve = world.checked("eve", Role::User).await;
    let (session, _) = let_in(&world.hub, eve);
    let spoilt = world.db.write(|db| {
        db.execute_batch(
            "CREATE TRIGGER spoil AFTER UPDATE OF username ON accounts BEGIN
                 UPDATE accounts SET role = 'nobody' WHERE id = NEW.id;
             END",
        )
    });
    spoilt.await.unwrap();
    world.auth.erase(eve.user).await.unwrap_err();
    assert!(session.is_closed());
}
