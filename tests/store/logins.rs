//! Login sessions.

use waggle::auth::model::Login;
use waggle::clock::Timestamp;
use waggle::ids::{LoginId, UserId};

use crate::fixture::{at, at_once, somebody};

fn login_of(user: UserId) -> Login {
    Login { id: LoginId::generate(at(0)), user, created_at: at(0), ended_at: None }
}

fn sorted(mut ids: Vec<LoginId>) -> Vec<LoginId> {
    ids.sort();
    ids
}

every_store! {
    async fn a_login_is_found_as_it_was_stored(stores: Stores) {
        let login = login_of(somebody());
        stores.auth.insert_login(&login).await.unwrap();
        assert_eq!(stores.auth.login(login.id).await.unwrap(), Some(login));
        assert_eq!(stores.auth.login(LoginId::generate(at(0))).await.unwrap(), None);
    }

    async fn a_login_ends_once(stores: Stores) {
        let login = login_of(somebody());
        stores.auth.insert_login(&login).await.unwrap();
        assert!(stores.auth.end_login(login.id, at(5)).await.unwrap());
        assert!(!stores.auth.end_login(login.id, at(6)).await.unwrap());
        assert!(!stores.auth.end_login(LoginId::generate(at(0)), at(6)).await.unwrap());
        let ended: Option<Timestamp> =
            stores.auth.login(login.id).await.unwrap().unwrap().ended_at;
        assert_eq!(ended, Some(at(5)));
    }

    async fn a_login_that_many_end_at_once_is_ended_by_one(stores: Stores) {
        let login = login_of(somebody());
        stores.auth.insert_login(&login).await.unwrap();
        let outcomes = at_once((0..30).map(|n| {
            let node = if n % 2 == 0 { stores.clone() } else { stores.another_node() };
            async move { node.auth.end_login(login.id, at(n)).await.unwrap() }
        }))
        .await;
        assert_eq!(outcomes.into_iter().filter(|ended| *ended).count(), 1);
    }

    async fn all_open_logins_of_a_user_end_together_and_no_others(stores: Stores) {
        let (alice, bob) = (somebody(), somebody());
        let logins = [login_of(alice), login_of(alice), login_of(alice), login_of(bob)];
        for login in &logins {
            stores.auth.insert_login(login).await.unwrap();
        }
        stores.auth.end_login(logins[0].id, at(1)).await.unwrap();
        let ended = stores.auth.end_logins(alice, at(2)).await.unwrap();
        assert_eq!(sorted(ended), sorted(vec![logins[1].id, logins[2].id]));
        assert!(stores.auth.end_logins(alice, at(3)).await.unwrap().is_empty());
        let mut ends = Vec::new();
        for login in &logins {
            ends.push(stores.auth.login(login.id).await.unwrap().unwrap().ended_at);
        }
        assert_eq!(ends, [Some(at(1)), Some(at(2)), Some(at(2)), None]);
    }
}
