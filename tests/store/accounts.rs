//! Accounts: inserting, finding, the numbers of drivers.

use std::collections::BTreeSet;

use waggle::auth::model::{Account, LoginName};
use waggle::auth::store::InsertedAccount;
use waggle::caller::Role;

use crate::fixture::{at_once, new_account, somebody};

fn inserted(outcome: InsertedAccount) -> Account {
    match outcome {
        InsertedAccount::Stored(account) => account,
        refused => panic!("{refused:?}"),
    }
}

every_store! {
    async fn an_account_is_found_as_it_was_stored(stores: Stores) {
        let mut new = new_account("Alice.B", Role::Restaurant);
        new.name = Some("Alice Ünger".to_owned());
        let account = inserted(stores.auth.insert_account(new.clone()).await.unwrap());
        let expected = Account {
            id: new.id,
            username: "Alice.B".to_owned(),
            email: "Alice.B@example.com".to_owned(),
            name: Some("Alice Ünger".to_owned()),
            image: None,
            role: Role::Restaurant,
            driver_number: None,
            password_hash: new.password_hash.clone(),
            created_at: new.created_at,
            ban: None,
        };
        assert_eq!(account, expected);
        let by_name = LoginName::Username("alice.b".to_owned());
        let by_email = LoginName::Email("alice.b@example.com".to_owned());
        let found = Some(expected);
        assert_eq!(stores.auth.account(new.id).await.unwrap(), found);
        assert_eq!(stores.auth.account_by_login(&by_name).await.unwrap(), found);
        assert_eq!(stores.auth.account_by_login(&by_email).await.unwrap(), found);
    }

    async fn a_driver_is_found_by_their_number(stores: Stores) {
        inserted(stores.auth.insert_account(new_account("alice", Role::User)).await.unwrap());
        assert_eq!(stores.auth.account_of_driver(1).await.unwrap(), None);
        for name in ["dora", "emil"] {
            let driver = inserted(
                stores.auth.insert_account(new_account(name, Role::Driver)).await.unwrap(),
            );
            let node = stores.another_node();
            let found = node.auth.account_of_driver(driver.driver_number.unwrap());
            assert_eq!(found.await.unwrap(), Some(driver));
        }
        assert_eq!(stores.auth.account_of_driver(0).await.unwrap(), None);
        assert_eq!(stores.auth.account_of_driver(3).await.unwrap(), None);
    }

    async fn nobody_is_found_by_what_was_never_stored(stores: Stores) {
        stores.auth.insert_account(new_account("alice", Role::User)).await.unwrap();
        assert_eq!(stores.auth.account(somebody()).await.unwrap(), None);
        for name in [
            LoginName::Username("bob".to_owned()),
            LoginName::Username("alice@example.com".to_owned()),
            LoginName::Email("alice".to_owned()),
        ] {
            assert_eq!(stores.auth.account_by_login(&name).await.unwrap(), None);
        }
    }

    async fn names_and_addresses_are_unique_without_regard_to_case(stores: Stores) {
        inserted(stores.auth.insert_account(new_account("alice", Role::User)).await.unwrap());
        let mut same_name = new_account("ALICE", Role::User);
        same_name.email = "other@example.com".parse().unwrap();
        let mut same_email = new_account("other", Role::User);
        same_email.email = "ALICE@Example.com".parse().unwrap();
        let refused = stores.auth.insert_account(same_name).await.unwrap();
        assert_eq!(refused, InsertedAccount::UsernameTaken);
        let refused = stores.auth.insert_account(same_email).await.unwrap();
        assert_eq!(refused, InsertedAccount::EmailTaken);
        let both = stores.auth.insert_account(new_account("Alice", Role::User)).await.unwrap();
        assert_eq!(both, InsertedAccount::UsernameTaken);
    }

    async fn of_a_hundred_who_want_one_name_at_once_one_gets_it(stores: Stores) {
        let outcomes = at_once((0..100).map(|n| {
            let node = if n % 2 == 0 { stores.clone() } else { stores.another_node() };
            let mut new = new_account(if n % 3 == 0 { "Alice" } else { "aliCE" }, Role::Driver);
            new.email = format!("alice{n}@example.com").parse().unwrap();
            async move { node.auth.insert_account(new).await.unwrap() }
        }))
        .await;
        let taken = outcomes.iter().filter(|o| **o == InsertedAccount::UsernameTaken).count();
        assert_eq!(taken, 99);
        let winner = outcomes.into_iter().find(|o| *o != InsertedAccount::UsernameTaken);
        let winner = inserted(winner.unwrap());
        assert_eq!(stores.auth.account(winner.id).await.unwrap(), Some(winner));
    }

    async fn of_many_who_want_one_address_at_once_one_gets_it(stores: Stores) {
        let outcomes = at_once((0..30).map(|n| {
            let (stores, mut new) = (stores.clone(), new_account(&format!("user{n}"), Role::User));
            new.email = "one@example.com".parse().unwrap();
            async move { stores.auth.insert_account(new).await.unwrap() }
        }))
        .await;
        let taken = outcomes.iter().filter(|o| **o == InsertedAccount::EmailTaken).count();
        assert_eq!(taken, 29);
    }

    async fn drivers_get_numbers_in_turn_and_nobody_else_does(stores: Stores) {
        let mut numbers = Vec::new();
        for (name, role) in [
            ("driver1", Role::Driver),
            ("alice", Role::User),
            ("driver2", Role::Driver),
            ("admin", Role::Admin),
            ("driver3", Role::Driver),
        ] {
            let account = stores.auth.insert_account(new_account(name, role)).await.unwrap();
            numbers.push(inserted(account).driver_number);
        }
        assert_eq!(numbers, [Some(1), None, Some(2), None, Some(3)]);
    }

    async fn a_driver_who_is_refused_uses_up_no_number(stores: Stores) {
        stores.auth.insert_account(new_account("driver1", Role::Driver)).await.unwrap();
        stores.auth.insert_account(new_account("Driver1", Role::Driver)).await.unwrap();
        let next = stores.auth.insert_account(new_account("driver2", Role::Driver)).await.unwrap();
        assert_eq!(inserted(next).driver_number, Some(2));
    }

    async fn drivers_who_register_at_once_get_different_numbers(stores: Stores) {
        let accounts = at_once((0..50).map(|n| {
            let node = if n % 2 == 0 { stores.clone() } else { stores.another_node() };
            let new = new_account(&format!("driver{n}"), Role::Driver);
            async move { inserted(node.auth.insert_account(new).await.unwrap()) }
        }))
        .await;
        let numbers: BTreeSet<_> = accounts.iter().filter_map(|a| a.driver_number).collect();
        assert_eq!(numbers, (1..=50).collect());
    }

    async fn a_password_that_is_set_replaces_the_old_one_of_that_account_only(stores: Stores) {
        let (alice, bob) = (new_account("alice", Role::User), new_account("bob", Role::User));
        stores.auth.insert_account(alice.clone()).await.unwrap();
        stores.auth.insert_account(bob.clone()).await.unwrap();
        stores.auth.set_password(alice.id, "$2b$new").await.unwrap();
        let hash = async |id| stores.auth.account(id).await.unwrap().unwrap().password_hash;
        assert_eq!(hash(alice.id).await, "$2b$new");
        assert_eq!(hash(bob.id).await, "$2b$hash");
    }
}
