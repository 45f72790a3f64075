//! Five users do anything in any order in a room, and a simple model says what must come of it:
//! who is a member, what is unread, who has read what.

mod model;
mod world;

use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

use crate::support::{Person, Server};
use world::{Checked, World};

const USERS: usize = 5;
const CASES: usize = 16;
const MOST_STEPS: usize = 90;
/// Steps between two looks at everything.
const BETWEEN_LOOKS: usize = 12;
/// How long a shorter version of a failing case is looked for.
const SHRINKING: Duration = Duration::from_secs(40);

/// What a user does.
#[derive(Debug, Clone)]
enum Act {
    /// Becomes a member.
    Join,
    /// Ends the membership.
    Leave,
    /// Removes the next user, where this one is the owner.
    Remove,
    /// `join_room`.
    Enter,
    /// `leave_room`.
    Exit,
    Send,
    /// `message_read` of one message.
    Read(usize),
    /// `mark_messages_read` of some.
    Mark(Vec<usize>),
    /// A page of the history.
    Fetch {
        page: usize,
        size: usize,
    },
    /// A new socket instead of the old one.
    Reconnect,
}

fn acts() -> impl Strategy<Value = Vec<(usize, Act)>> {
    let act = prop_oneof![
        2 => Just(Act::Join),
        1 => Just(Act::Leave),
        1 => Just(Act::Remove),
        4 => Just(Act::Enter),
        1 => Just(Act::Exit),
        10 => Just(Act::Send),
        8 => any::<usize>().prop_map(Act::Read),
        4 => prop::collection::vec(any::<usize>(), 1..8).prop_map(Act::Mark),
        2 => (1..4_usize, 1..9_usize).prop_map(|(page, size)| Act::Fetch { page, size }),
        1 => Just(Act::Reconnect),
    ];
    prop::collection::vec((0..USERS, act), 1..MOST_STEPS)
}

async fn run(people: &[Person; USERS], acts: &[(usize, Act)]) -> Checked {
    let mut world = World::new(people).await;
    for (step, (user, act)) in acts.iter().enumerate() {
        world
            .act(*user, act)
            .await
            .map_err(|problem| format!("step {step}, {act:?} of {user}: {problem}"))?;
        if step % BETWEEN_LOOKS == 0 {
            world.look().await.map_err(|problem| format!("after step {step}: {problem}"))?;
        }
    }
    world.look().await
}

/// The shortest version of a failing case that still fails.
async fn shrink(
    people: &[Person; USERS],
    mut case: impl ValueTree<Value = Vec<(usize, Act)>>,
    problem: String,
) -> (Vec<(usize, Act)>, String) {
    let mut worst = (case.current(), problem);
    let started = Instant::now();
    while started.elapsed() < SHRINKING && case.simplify() {
        while let Ok(()) = run(people, &case.current()).await {
            if started.elapsed() > SHRINKING || !case.complicate() {
                return worst;
            }
        }
        if let Err(problem) = run(people, &case.current()).await {
            worst = (case.current(), problem);
        }
    }
    worst
}

async fn agrees_with_the_model(server: &Server) {
    let people = server.people(["anna", "ben", "cleo", "dora", "emil"]).await;
    let mut runner = TestRunner::new(Config::default());
    for _ in 0..CASES {
        let case = acts().new_tree(&mut runner).unwrap();
        if let Err(problem) = run(&people, &case.current()).await {
            let (acts, problem) = shrink(&people, case, problem).await;
            panic!("{problem}\n{acts:#?}");
        }
    }
}

on_every_store! {
    #[set(RATE_LIMITS = "off")]
    async fn whatever_five_users_do_unread_counts_receipts_and_histories_are_right(server) {
        agrees_with_the_model(server).await;
    }
}
