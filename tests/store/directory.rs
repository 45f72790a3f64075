//! The directory of users: lists, search, changes of profiles.

use waggle::auth::model::{LoginName, NewAccount};
use waggle::caller::Role;
use waggle::ids::UserId;
use waggle::users::model::{ProfileChange, UserQuery};
use waggle::users::store::ChangedProfile;

use crate::fixture::{Stores, at_once, new_account, somebody};

async fn register(stores: &Stores, username: &str, name: Option<&str>) -> UserId {
    let new = NewAccount { name: name.map(str::to_owned), ..new_account(username, Role::User) };
    let id = new.id;
    stores.auth.insert_account(new).await.unwrap();
    id
}

async fn usernames(stores: &Stores, query: UserQuery) -> Vec<String> {
    let accounts = stores.users.accounts(&query).await.unwrap();
    accounts.into_iter().map(|account| account.username).collect()
}

async fn search(stores: &Stores, part: &str) -> Vec<String> {
    usernames(stores, UserQuery { search: Some(part.to_owned()), after: None, limit: 100 }).await
}

fn new_email(email: &str) -> ProfileChange {
    ProfileChange { email: Some(email.parse().unwrap()), ..ProfileChange::default() }
}

every_store! {
    async fn users_are_listed_by_name_without_regard_to_case(stores: Stores) {
        for name in ["dora", "Bob", "alice", "Carol"] {
            register(&stores, name, None).await;
        }
        let page = |after: Option<&str>, limit| {
            let after = after.map(str::to_owned);
            usernames(&stores, UserQuery { search: None, after, limit })
        };
        assert_eq!(page(None, 100).await, ["alice", "Bob", "Carol", "dora"]);
        assert_eq!(page(None, 2).await, ["alice", "Bob"]);
        assert_eq!(page(Some("bob"), 1).await, ["Carol"]);
        assert_eq!(page(Some("b"), 2).await, ["Bob", "Carol"]);
        assert!(page(Some("dora"), 100).await.is_empty());
        assert!(page(None, 0).await.is_empty());
    }

    async fn a_search_finds_parts_of_names_without_regard_to_case(stores: Stores) {
        register(&stores, "AliceB", None).await;
        register(&stores, "bob", Some("Malice Aforethought")).await;
        register(&stores, "carol", Some("Carol")).await;
        register(&stores, "emil", Some("ÉMILE")).await;
        assert_eq!(search(&stores, "alice").await, ["AliceB", "bob"]);
        assert_eq!(search(&stores, "eb").await, ["AliceB"]);
        assert_eq!(search(&stores, "e a").await, ["bob"]);
        assert_eq!(search(&stores, "émile").await, ["emil"]);
        assert!(search(&stores, "example.com").await.is_empty());
        let behind = UserQuery {
            search: Some("alice".to_owned()),
            after: Some("aliceb".to_owned()),
            limit: 10,
        };
        assert_eq!(usernames(&stores, behind).await, ["bob"]);
    }

    async fn what_is_searched_for_is_taken_literally(stores: Stores) {
        register(&stores, "a.b_c-d", Some("100% (sure) [x] a\\b ^$ *+? {2} | 'quoted\" /#")).await;
        register(&stores, "axbxcxd", Some("plain")).await;
        for part in
            [".", "_", "-", "%", "(sure)", "[x]", "\\", "^$", "*+?", "{2}", "|", "'", "\"", "/#"]
        {
            assert_eq!(search(&stores, part).await, ["a.b_c-d"], "{part}");
        }
        for part in [".*", "a%d", "a_b", "(", "\\b ^", "a\0b", &"long".repeat(10_000)] {
            let found = search(&stores, part).await;
            assert!(found.is_empty() || ["(", "\\b ^"].contains(&part), "{part}");
        }
    }

    async fn a_profile_changes_in_what_is_named_and_nothing_else(stores: Stores) {
        let id = register(&stores, "alice", Some("Alice")).await;
        let before = stores.auth.account(id).await.unwrap().unwrap();
        let change = ProfileChange {
            name: Some(Some("Alice B.".to_owned())),
            image: Some(Some("alice.png".to_owned())),
            email: Some("New@Example.com".parse().unwrap()),
        };
        let mut expected = before.clone();
        expected.name = Some("Alice B.".to_owned());
        expected.image = Some("alice.png".to_owned());
        expected.email = "New@Example.com".to_owned();
        let changed = stores.users.change_profile(id, &change).await.unwrap();
        assert_eq!(changed, ChangedProfile::Changed(expected.clone()));
        let nothing = stores.users.change_profile(id, &ProfileChange::default()).await.unwrap();
        assert_eq!(nothing, ChangedProfile::Changed(expected.clone()));
        let no_name = ProfileChange { name: Some(None), ..ProfileChange::default() };
        expected.name = None;
        let cleared = stores.users.change_profile(id, &no_name).await.unwrap();
        assert_eq!(cleared, ChangedProfile::Changed(expected.clone()));
        let no_image = ProfileChange { image: Some(None), ..ProfileChange::default() };
        expected.image = None;
        let cleared = stores.users.change_profile(id, &no_image).await.unwrap();
        assert_eq!(cleared, ChangedProfile::Changed(expected.clone()));
        assert_eq!(stores.auth.account(id).await.unwrap(), Some(expected));
    }

    async fn nobodys_profile_cannot_be_changed(stores: Stores) {
        for change in [ProfileChange::default(), new_email("new@example.com")] {
            let outcome = stores.users.change_profile(somebody(), &change).await.unwrap();
            assert_eq!(outcome, ChangedProfile::Missing);
        }
    }

    async fn a_new_address_is_unique_and_is_the_one_to_log_in_with(stores: Stores) {
        let alice = register(&stores, "alice", None).await;
        register(&stores, "bob", None).await;
        let taken = new_email("BOB@example.com");
        let outcome = stores.users.change_profile(alice, &taken).await.unwrap();
        assert_eq!(outcome, ChangedProfile::EmailTaken);
        for own in ["ALICE@example.com", "new@example.com"] {
            let outcome = stores.users.change_profile(alice, &new_email(own)).await.unwrap();
            assert!(matches!(outcome, ChangedProfile::Changed(account) if account.email == own));
        }
        let by = |email: &str| LoginName::Email(email.to_owned());
        let found = stores.auth.account_by_login(&by("new@example.com")).await.unwrap();
        assert_eq!(found.map(|account| account.id), Some(alice));
        let old = stores.auth.account_by_login(&by("alice@example.com")).await.unwrap();
        assert_eq!(old, None);
    }

    async fn of_many_who_change_to_one_address_at_once_one_gets_it(stores: Stores) {
        let mut users = Vec::new();
        for n in 0..20 {
            users.push(register(&stores, &format!("user{n}"), None).await);
        }
        let outcomes = at_once(users.into_iter().map(|user| {
            let stores = stores.clone();
            async move {
                stores.users.change_profile(user, &new_email("one@example.com")).await.unwrap()
            }
        }))
        .await;
        let taken = outcomes.iter().filter(|o| **o == ChangedProfile::EmailTaken).count();
        assert_eq!(taken, 19);
    }
}
