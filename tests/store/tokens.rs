//! Refresh and reset tokens.

use waggle::auth::model::{Login, RefreshToken, TokenHash};
use waggle::clock::Timestamp;
use waggle::ids::LoginId;

use crate::fixture::{at, at_once, somebody};

fn hash(n: u8) -> TokenHash {
    std::array::from_fn(|i| n.wrapping_mul(31).wrapping_add(i as u8))
}

fn token(n: u8, login: LoginId, expires_at: Timestamp) -> RefreshToken {
    RefreshToken { hash: hash(n), login, used_at: None, expires_at }
}

fn login() -> Login {
    Login { id: LoginId::generate(at(0)), user: somebody(), created_at: at(0), ended_at: None }
}

every_store! {
    async fn a_refresh_token_comes_back_as_it_was_before_its_use(stores: Stores) {
        let token = token(1, login().id, at(1000));
        stores.auth.insert_refresh_token(&token).await.unwrap();
        let first = stores.auth.use_refresh_token(token.hash, at(10)).await.unwrap();
        assert_eq!(first, Some(token.clone()));
        for later in [20, 30] {
            let again = stores.auth.use_refresh_token(token.hash, at(later)).await.unwrap();
            assert_eq!(again, Some(RefreshToken { used_at: Some(at(10)), ..token.clone() }));
        }
        assert_eq!(stores.auth.use_refresh_token(hash(2), at(10)).await.unwrap(), None);
    }

    async fn of_many_who_use_a_refresh_token_at_once_one_is_the_first(stores: Stores) {
        let token = token(1, login().id, at(1000));
        stores.auth.insert_refresh_token(&token).await.unwrap();
        let seen = at_once((0..50).map(|n| {
            let node = if n % 2 == 0 { stores.clone() } else { stores.another_node() };
            async move { node.auth.use_refresh_token(hash(1), at(n)).await.unwrap().unwrap() }
        }))
        .await;
        assert_eq!(seen.iter().filter(|token| token.used_at.is_none()).count(), 1);
    }

    async fn a_refresh_token_that_is_there_is_not_replaced(stores: Stores) {
        let token = token(1, login().id, at(1000));
        stores.auth.insert_refresh_token(&token).await.unwrap();
        stores.auth.use_refresh_token(token.hash, at(5)).await.unwrap();
        let same_hash = RefreshToken { expires_at: at(9999), ..token.clone() };
        stores.auth.insert_refresh_token(&same_hash).await.unwrap();
        let stored = stores.auth.use_refresh_token(token.hash, at(6)).await.unwrap();
        assert_eq!(stored, Some(RefreshToken { used_at: Some(at(5)), ..token }));
    }

    async fn a_reset_token_is_taken_once(stores: Stores) {
        let alice = somebody();
        stores.auth.insert_reset_token(hash(1), alice, at(1000)).await.unwrap();
        assert_eq!(stores.auth.take_reset_token(hash(2), at(1)).await.unwrap(), None);
        let takers = at_once((0..30).map(|n| {
            let node = if n % 2 == 0 { stores.clone() } else { stores.another_node() };
            async move { node.auth.take_reset_token(hash(1), at(1)).await.unwrap() }
        }))
        .await;
        assert_eq!(takers.into_iter().flatten().collect::<Vec<_>>(), [alice]);
    }

    async fn an_expired_reset_token_is_good_for_nothing(stores: Stores) {
        stores.auth.insert_reset_token(hash(1), somebody(), at(1000)).await.unwrap();
        assert_eq!(stores.auth.take_reset_token(hash(1), at(1001)).await.unwrap(), None);
    }

    async fn expired_tokens_are_removed_and_good_ones_stay(stores: Stores) {
        let (login, alice) = (login(), somebody());
        stores.auth.insert_login(&login).await.unwrap();
        stores.auth.insert_refresh_token(&token(1, login.id, at(1000))).await.unwrap();
        stores.auth.insert_refresh_token(&token(2, login.id, at(3000))).await.unwrap();
        stores.auth.insert_reset_token(hash(3), alice, at(1000)).await.unwrap();
        stores.auth.insert_reset_token(hash(4), alice, at(3000)).await.unwrap();
        stores.auth.remove_expired(at(2000)).await.unwrap();
        assert_eq!(stores.auth.use_refresh_token(hash(1), at(0)).await.unwrap(), None);
        assert!(stores.auth.use_refresh_token(hash(2), at(0)).await.unwrap().is_some());
        assert_eq!(stores.auth.take_reset_token(hash(3), at(0)).await.unwrap(), None);
        assert_eq!(stores.auth.take_reset_token(hash(4), at(0)).await.unwrap(), Some(alice));
    }

    async fn a_login_goes_when_its_last_token_has_expired(stores: Stores) {
        let (gone, stays) = (login(), login());
        for login in [&gone, &stays] {
            stores.auth.insert_login(login).await.unwrap();
        }
        stores.auth.insert_refresh_token(&token(1, gone.id, at(500))).await.unwrap();
        stores.auth.insert_refresh_token(&token(2, gone.id, at(1000))).await.unwrap();
        stores.auth.insert_refresh_token(&token(3, stays.id, at(1000))).await.unwrap();
        stores.auth.insert_refresh_token(&token(4, stays.id, at(3000))).await.unwrap();
        stores.auth.remove_expired(at(700)).await.unwrap();
        assert!(stores.auth.login(gone.id).await.unwrap().is_some());
        stores.auth.remove_expired(at(2000)).await.unwrap();
        assert_eq!(stores.auth.login(gone.id).await.unwrap(), None);
        assert_eq!(stores.auth.login(stays.id).await.unwrap(), Some(stays));
    }
}
