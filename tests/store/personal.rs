//! What stores offer for giving out and erasing what is somebody's.

use waggle::auth::model::{Ban, Login, RefreshToken};
use waggle::auth::store::InsertedAccount;
use waggle::caller::Role;
use waggle::chat::model::{MessageType, NewMessage, Progress, RoomRead, Stretch};
use waggle::drivers::model::{Fix, Trail};
use waggle::geo::Point;
use waggle::ids::{LoginId, MessageId, RoomId};
use waggle::orders::model::{Entry, Rejection, Status};
use waggle::orders::store::Inserted;
use waggle::text::Description;
use waggle::users::model::UserQuery;

use crate::fixture::{
    append, at, idempotent, in_room, new_account, repeated, somebody, stored, text, whole,
};
use crate::orders::new_order;

every_store! {
    async fn an_erased_account_is_nobodys_and_its_name_is_free(stores: Stores) {
        let mut alice = new_account("Alice", Role::Driver);
        alice.name = Some("Alice L.".to_owned());
        alice.image = Some("a.png".to_owned());
        let id = alice.id;
        let InsertedAccount::Stored(before) = stores.auth.insert_account(alice).await.unwrap() else {
            panic!("the name is free")
        };
        let ids: Vec<_> = (0..3).map(|n| LoginId::generate(at(n * 1000))).collect();
        for (n, login) in ids.iter().enumerate() {
            let login = Login { id: *login, user: id, created_at: at(0), ended_at: None };
            stores.auth.insert_login(&login).await.unwrap();
            let token = RefreshToken { hash: [n as u8; 32], login: login.id, used_at: None, expires_at: at(9) };
            stores.auth.insert_refresh_token(&token).await.unwrap();
        }
        stores.auth.insert_reset_token([9; 32], id, at(9)).await.unwrap();
        let reason = Some(Description::parse("sells honey").unwrap());
        let ban = Ban { by: somebody(), at: at(1), reason };
        stores.auth.set_ban(id, Some(&ban)).await.unwrap();
        let page = stores.auth.logins(id, None, 2).await.unwrap();
        let rest = stores.auth.logins(id, Some(page[1].id), 2).await.unwrap();
        assert_eq!(page.iter().chain(&rest).map(|login| login.id).collect::<Vec<_>>(), ids);
        for _ in 0..2 {
            stores.auth.erase_account(id).await.unwrap();
            let after = stores.auth.account(id).await.unwrap().unwrap();
            assert!(after.is_erased() && !before.is_erased());
            assert_eq!((after.email.as_str(), &after.name, &after.image), ("", &None, &None));
            assert_eq!((after.password_hash.as_str(), after.ban), ("!", None));
            assert_eq!(
                (after.role, after.driver_number, after.created_at),
                (before.role, before.driver_number, before.created_at)
            );
            assert!(stores.auth.logins(id, None, 9).await.unwrap().is_empty());
            assert_eq!(stores.auth.use_refresh_token([1; 32], at(1)).await.unwrap(), None);
            assert_eq!(stores.auth.take_reset_token([9; 32], at(1)).await.unwrap(), None);
        }
        assert!(stores.auth.drivers(0, 9).await.unwrap().is_empty());
        let everybody = UserQuery { search: None, after: None, limit: 9 };
        assert!(stores.users.accounts(&everybody).await.unwrap().is_empty());
        let heir = stores.auth.insert_account(new_account("alice", Role::User)).await.unwrap();
        assert!(matches!(heir, InsertedAccount::Stored(_)), "{heir:?}");
        // A second one is erased beside the first.
        let InsertedAccount::Stored(heir) = heir else { return };
        stores.auth.erase_account(heir.id).await.unwrap();
        assert!(stores.auth.account(heir.id).await.unwrap().unwrap().is_erased());
    }

    async fn a_deleted_text_keeps_its_place(stores: Stores) {
        let [alice, bob] = [somebody(), somebody()];
        let image = NewMessage {
            message_type: MessageType::Image, ..idempotent(alice, bob, "https://a.example", "key")
        };
        let batch = vec![image, idempotent(alice, bob, "two", "other key"), text(bob, alice, "three")];
        let before = append(&stores, batch, at(0)).await;
        stores.chat.delete_texts(&[before[0].id], false).await.unwrap();
        stores.chat.delete_texts(&[before[1].id], true).await.unwrap();
        let after = whole(&stores, before[0].conversation).await;
        for (before, after) in before.iter().zip(&after).take(2) {
            assert!(after.is_deleted() && !before.is_deleted());
            assert_eq!(after.message_type, MessageType::Text);
            let place = |m: &waggle::chat::model::StoredMessage| (m.id, m.seq, m.sender, m.receiver, m.created_at, m.read_at);
            assert_eq!(place(before), place(after));
        }
        assert_eq!((&after[0].client_msg_id, &after[1].client_msg_id), (&None, &before[1].client_msg_id));
        assert_eq!(after[2], before[2]);
        let send = async |message| stores.chat.append(vec![message], at(5)).await.remove(0).unwrap();
        assert_eq!(repeated(send(idempotent(alice, bob, "two", "other key")).await), after[1]);
        assert_eq!(stored(send(idempotent(alice, bob, "again", "key")).await).seq, 4);
        let unread = stores.chat.unread_counts(bob).await.unwrap();
        assert_eq!(unread, [(before[0].conversation, 3)]);
    }

    async fn what_somebody_wrote_in_rooms_is_found_page_by_page(stores: Stores) {
        let [alice, bob] = [somebody(), somebody()];
        let rooms: Vec<_> = (0..7).map(|n| RoomId::generate(at(n * 1000))).collect();
        let mut batch = Vec::new();
        for (n, room) in rooms.iter().enumerate() {
            batch.extend((0..n).flat_map(|_| [in_room(*room, alice, "hers"), in_room(*room, bob, "his")]));
        }
        batch.push(text(alice, bob, "between two"));
        append(&stores, batch, at(0)).await;
        for limit in [1, 4, 100] {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let page = stores.chat.written_in_rooms(alice, after, limit).await.unwrap();
                let Some(last) = page.last() else { break };
                after = Some((last.conversation, last.seq));
                found.extend(page);
            }
            assert_eq!(found.len(), 21, "in pages of {limit}");
            assert!(found.iter().all(|message| message.sender == alice && message.receiver.is_none()));
            assert!(found.is_sorted_by_key(|message| (message.conversation, message.seq)));
        }
        assert!(stores.chat.written_in_rooms(somebody(), None, 9).await.unwrap().is_empty());
    }

    async fn reads_of_a_member_are_found_page_by_page(stores: Stores) {
        let [alice, bob] = [somebody(), somebody()];
        let mut reads = Vec::new();
        for n in 0..5 {
            let room = RoomId::generate(at(n * 1000));
            for user in [alice, bob] {
                reads.extend((1..=3).map(|no| RoomRead {
                    room,
                    user,
                    stretch: Stretch { first: no, last: no, count: 1 },
                    read_at: at(no),
                    progress: Progress { no, done: no, top: no, ahead: 0 },
                }));
            }
        }
        assert_eq!(stores.chat.append_reads(reads).await.unwrap(), [true; 30]);
        for limit in [1, 4, 100] {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let page = stores.chat.reads_of(alice, after, limit).await.unwrap();
                let Some(last) = page.last() else { break };
                after = Some((last.room, last.progress.no));
                found.extend(page);
            }
            assert_eq!(found.len(), 15, "in pages of {limit}");
            assert!(found.iter().all(|read| read.user == alice));
            assert!(found.is_sorted_by_key(|read| (read.room, read.progress.no)));
        }
    }

    async fn messages_are_found_by_their_age(stores: Stores) {
        let [alice, bob] = [somebody(), somebody()];
        let batch = (0..6).map(|n| NewMessage { id: MessageId::generate(at(n * 1000)), ..text(alice, bob, "x") });
        let messages = append(&stores, batch.collect(), at(0)).await;
        let ids = |found: Vec<waggle::chat::model::StoredMessage>| found.into_iter().map(|m| m.id).collect::<Vec<_>>();
        let all: Vec<_> = messages.iter().map(|message| message.id).collect();
        let zero = MessageId::from_bytes([0; 12]);
        let older = async |after, millis, limit| {
            ids(stores.chat.between(after, MessageId::earliest(at(millis)), limit).await.unwrap())
        };
        assert_eq!(older(zero, 3000, 9).await, all[..3]);
        assert_eq!(older(zero, 99_000, 2).await, all[..2]);
        assert_eq!(older(all[1], 99_000, 9).await, all[2..]);
        assert!(older(zero, 0, 9).await.is_empty());
    }

    async fn a_driver_is_forgotten_and_others_are_not(stores: Stores) {
        let [dan, eve] = [somebody(), somebody()];
        let fix = |n: i64| Fix {
            point: Point::new(48.0, 16.0).unwrap(),
            accuracy: None,
            heading: None,
            speed: None,
            battery: None,
            at: at(n),
            received_at: at(n) + std::time::Duration::from_hours(24 * 365 * 100),
        };
        for driver in [dan, eve] {
            let fixes: Vec<_> = (0..2500).map(|n| (driver, fix(n))).collect();
            stores.drivers.save_fixes(&fixes).await.unwrap();
        }
        stores.presence.save_last_seen(&[(dan, at(1)), (eve, at(1))]).await.unwrap();
        for _ in 0..2 {
            stores.drivers.forget(dan).await.unwrap();
            stores.presence.forget(dan).await.unwrap();
        }
        let trail = async |driver| {
            let trail = Trail { driver, after: at(-1), until: at(9999), limit: 5000 };
            stores.drivers.trail(&trail).await.unwrap().len()
        };
        assert_eq!((trail(dan).await, trail(eve).await), (0, 2500));
        assert_eq!(stores.drivers.last_fix(dan).await.unwrap(), None);
        assert_eq!(stores.drivers.last_fix(eve).await.unwrap(), Some(fix(2499)));
        assert_eq!(stores.presence.last_seen(&[dan, eve]).await.unwrap(), [(eve, at(1))]);
    }

    async fn an_order_is_written_over_only_as_it_was_read(stores: Stores) {
        let [alice, dan, eve, stranger] = [somebody(), somebody(), somebody(), somebody()];
        let reason = |text| Description::parse_or_none(text).unwrap();
        let mut order = new_order(alice);
        order.contents.note = reason("ring twice");
        order.client_order_id = Some("a key".parse().unwrap());
        order.driver = Some(dan);
        order.status = Status::Delivered;
        order.rejections = vec![Rejection { driver: eve, reason: reason("too far"), at: at(1) }];
        let by_alice = Entry { status: Status::Pending, at: at(0), by: alice, driver: None, reason: reason("hungry") };
        order.history = vec![by_alice];
        let Inserted::Stored(order) = stores.orders.insert(&order).await.unwrap() else { panic!() };
        for (user, has_part) in [(alice, true), (dan, true), (eve, true), (stranger, false)] {
            let found = stores.orders.with_part(user, 1, 1000).await.unwrap();
            assert_eq!(found.len(), usize::from(has_part));
            assert!(stores.orders.with_part(user, 2, 1000).await.unwrap().is_empty());
        }
        let stale = waggle::orders::model::Order { updated_at: at(77), ..order.clone() };
        assert!(!stores.orders.redact(&stale.without(alice)).await.unwrap());
        assert_eq!(stores.orders.order(order.id).await.unwrap(), Some(order.clone()));

        assert!(stores.orders.redact(&order.without(eve)).await.unwrap());
        let without_eve = stores.orders.order(order.id).await.unwrap().unwrap();
        assert_eq!((&without_eve.rejections[0].reason, &without_eve.contents), (&None, &order.contents));
        assert_eq!(without_eve.history, order.history);
        assert!(stores.orders.redact(&without_eve.without(alice)).await.unwrap());
        let bare = stores.orders.order(order.id).await.unwrap().unwrap();
        assert_eq!((&bare.contents.note, &bare.client_order_id, &bare.history[0].reason), (&None, &None, &None));
        assert_eq!((bare.number, bare.status, &bare.contents.items), (order.number, order.status, &order.contents.items));
        assert_eq!(bare.updated_at, order.updated_at);
    }

    async fn an_erasure_is_found_until_it_is_finished(stores: Stores) {
        let [alice, bob] = [somebody(), somebody()];
        assert_eq!(stores.erasures.erasure(alice).await.unwrap(), None);
        stores.erasures.request(alice, at(10)).await.unwrap();
        stores.erasures.request(bob, at(20)).await.unwrap();
        let first = stores.erasures.erasure(alice).await.unwrap().unwrap();
        assert_eq!((first.requested_at, first.finished_at), (at(10), None));
        assert_eq!(stores.erasures.erasures(at(99)).await.unwrap().len(), 2);
        stores.erasures.finish(&first, at(30)).await.unwrap();
        let users = async |since| {
            let found = stores.erasures.erasures(since).await.unwrap();
            found.into_iter().map(|one| one.user).collect::<Vec<_>>()
        };
        assert_eq!(users(at(99)).await, [bob]);
        assert_eq!(users(at(9)).await.len(), 2, "news for those who have not seen it");
        assert_eq!(users(at(10)).await, [bob]);
        // Asked for again: the end of the first is not that of the second.
        stores.erasures.request(alice, at(40)).await.unwrap();
        stores.erasures.finish(&first, at(50)).await.unwrap();
        let again = stores.erasures.erasure(alice).await.unwrap().unwrap();
        assert_eq!((again.requested_at, again.finished_at), (at(40), None));
    }
}
