//! Customers, drivers and an admin do anything in any order to orders, and a simple model says what
//! must come of it: which acts are refused and how, where each order is, and whose it is.

mod model;
mod world;

use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

use crate::support::{Person, Server};
use model::{ADMIN, DRIVERS, PEOPLE, STATUSES};
use world::{Checked, World};

const CASES: usize = 16;
const MOST_STEPS: usize = 60;
/// Steps between two looks at everything.
const BETWEEN_LOOKS: usize = 10;
/// How long a shorter version of a failing case is looked for.
const SHRINKING: Duration = Duration::from_secs(40);

/// What somebody does.
#[derive(Debug, Clone, Copy)]
enum Act {
    Place,
    Accept,
    Reject,
    /// To one of the statuses.
    Advance(usize),
    Cancel,
    /// To one of the drivers.
    Assign(usize),
    Unassign,
}

/// Somebody does something to an order, by REST or by socket.
#[derive(Debug, Clone, Copy)]
struct Step {
    who: usize,
    which: usize,
    by_rest: bool,
    act: Act,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let act = prop_oneof![
        3 => Just(Act::Place),
        6 => Just(Act::Accept),
        2 => Just(Act::Reject),
        8 => (0..STATUSES.len()).prop_map(Act::Advance),
        2 => Just(Act::Cancel),
        4 => DRIVERS.prop_map(Act::Assign),
        4 => Just(Act::Unassign),
    ];
    // The likely ones more often: else little happens but refusals.
    let who = prop_oneof![2 => 0..PEOPLE, 1 => Just(PEOPLE - 1), 2 => DRIVERS];
    let step = (who, 0..4_usize, any::<bool>(), act);
    let step = step.prop_map(|(who, which, by_rest, act)| {
        // Whether admins place orders is not said: only customers and drivers try to.
        let who = if matches!(act, Act::Place) { who % ADMIN } else { who };
        Step { who, which, by_rest, act }
    });
    prop::collection::vec(step, 1..MOST_STEPS)
}

async fn run(people: &[Person; PEOPLE], steps: &[Step]) -> Checked {
    let mut world = World::new(people).await;
    for (number, step) in steps.iter().enumerate() {
        let problem = |problem| format!("step {number}, {step:?}: {problem}");
        world.act(*step).await.map_err(problem)?;
        if number % BETWEEN_LOOKS == 0 {
            world.look().await.map_err(problem)?;
        }
    }
    world.look().await
}

/// The shortest version of a failing case that still fails.
async fn shrink(
    people: &[Person; PEOPLE],
    mut case: impl ValueTree<Value = Vec<Step>>,
    problem: String,
) -> (Vec<Step>, String) {
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
    let [anna, ben] = server.people(["anna", "ben"]).await;
    let [dan, eve, fay] = server.drivers(["dan", "eve", "fay"]).await;
    let people = [anna, ben, dan, eve, fay, server.admin().await];
    let mut runner = TestRunner::new(Config::default());
    for _ in 0..CASES {
        let case = steps().new_tree(&mut runner).unwrap();
        if let Err(problem) = run(&people, &case.current()).await {
            let (steps, problem) = shrink(&people, case, problem).await;
            panic!("{problem}\n{steps:#?}");
        }
    }
}

on_every_store! {
    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn whatever_is_done_orders_keep_to_their_states_and_histories_explain_them(server) {
        agrees_with_the_model(server).await;
    }
}
