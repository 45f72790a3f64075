//! Bans, and what ends with them.

use waggle::auth::model::{Account, Ban};
use waggle::caller::Role;
use waggle::ids::UserId;
use waggle::text::Description;

use crate::fixture::{Stores, at, new_account, somebody};

fn ban(by: UserId, reason: Option<&str>) -> Ban {
    let reason = reason.map(|text| Description::parse(text).unwrap());
    Ban { by, at: at(7), reason }
}

async fn ban_of(stores: &Stores, id: UserId) -> Option<Ban> {
    stores.auth.account(id).await.unwrap().unwrap().ban.map(|ban| *ban)
}

async fn add(stores: &Stores, username: &str) -> UserId {
    let new = new_account(username, Role::User);
    let id = new.id;
    stores.auth.insert_account(new).await.unwrap();
    id
}

fn names(accounts: Vec<Account>) -> Vec<String> {
    accounts.into_iter().map(|account| account.username).collect()
}

every_store! {
    async fn a_ban_is_found_as_it_was_stored_until_it_is_lifted(stores: Stores) {
        let (alice, bob) = (add(&stores, "alice").await, add(&stores, "bob").await);
        assert_eq!(ban_of(&stores, alice).await, None);
        for ban in [ban(bob, Some("spam, again & again")), ban(somebody(), None)] {
            let banned = stores.auth.set_ban(alice, Some(&ban)).await.unwrap().unwrap();
            assert_eq!((banned.id, banned.ban.as_deref()), (alice, Some(&ban)));
            assert_eq!(ban_of(&stores.another_node(), alice).await, Some(ban));
        }
        assert_eq!(ban_of(&stores, bob).await, None);
        let lifted = stores.auth.set_ban(alice, None).await.unwrap().unwrap();
        assert_eq!((lifted.id, lifted.ban), (alice, None));
        assert_eq!(ban_of(&stores, alice).await, None);
        assert_eq!(stores.auth.set_ban(somebody(), None).await.unwrap(), None);
        assert_eq!(stores.auth.set_ban(somebody(), Some(&ban(bob, None))).await.unwrap(), None);
    }

    async fn banned_accounts_come_by_their_names_and_no_others(stores: Stores) {
        let root = somebody();
        for name in ["Dora", "alice", "Bob", "carl", "emil"] {
            let id = add(&stores, name).await;
            if name != "carl" {
                stores.auth.set_ban(id, Some(&ban(root, None))).await.unwrap();
            }
            if name == "emil" {
                stores.auth.set_ban(id, None).await.unwrap();
            }
        }
        let banned = async |after, limit| names(stores.auth.banned(after, limit).await.unwrap());
        assert_eq!(banned("", 10).await, ["alice", "Bob", "Dora"]);
        assert_eq!(banned("", 2).await, ["alice", "Bob"]);
        assert_eq!(banned("bob", 2).await, ["Dora"]);
        assert!(banned("dora", 2).await.is_empty());
    }

    async fn the_reset_tokens_of_one_user_are_removed(stores: Stores) {
        let (alice, bob) = (somebody(), somebody());
        for (n, user) in [(1, alice), (2, alice), (3, bob)] {
            stores.auth.insert_reset_token([n; 32], user, at(1000)).await.unwrap();
        }
        stores.auth.remove_reset_tokens(alice).await.unwrap();
        let mut left = Vec::new();
        for n in 1..=3 {
            left.push(stores.auth.take_reset_token([n; 32], at(1)).await.unwrap());
        }
        assert_eq!(left, [None, None, Some(bob)]);
    }
}
