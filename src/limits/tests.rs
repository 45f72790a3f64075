//! What limits count, and what they forget.

use std::net::Ipv4Addr;

use super::*;
use crate::clock::Timestamp;
use crate::config::{Config, Vars};
use crate::telemetry::tests::Log;

const ALICE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const BOB: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

fn rate(text: &str) -> Option<Rate> {
    Some(text.parse().unwrap())
}

#[test]
fn the_count_is_there_at_once_and_comes_back_with_time() {
    let clock = Clock::manual(Timestamp::from_millis(1_000_000));
    let limiter = Limiter::new("tests", rate("3/3s"), &clock);
    for left in [2, 1, 0] {
        assert_eq!(limiter.check(&ALICE).unwrap().unwrap().remaining, left);
    }
    let refusal = limiter.check(&ALICE).unwrap_err();
    assert_eq!(refusal.retry_after_seconds(), Some(1));
    assert!(limiter.check(&BOB).is_ok());
    clock.advance(Duration::from_secs(1));
    assert!(limiter.check(&ALICE).is_ok());
    assert!(limiter.check(&ALICE).is_err());
}

#[test]
fn a_key_is_forgotten_when_it_has_its_whole_count_again_and_not_before() {
    let clock = Clock::manual(Timestamp::from_millis(1_000_000));
    let limiter = Limiter::new("tests", rate("2/2s"), &clock);
    let keys = || limiter.governor.as_ref().map(|(governor, _)| governor.len());
    let key = |n: u32| IpAddr::from(n.to_be_bytes());
    assert!((0..1000).all(|n| limiter.check(&key(n)).is_ok()));
    limiter.forget_idle();
    assert_eq!(keys(), Some(1000));
    clock.advance(Duration::from_secs(2));
    assert!(limiter.check(&key(0)).is_ok());
    limiter.forget_idle();
    assert_eq!(keys(), Some(1));
}

#[test]
fn off_never_refuses() {
    let limiter = Limiter::new("tests", None, &Clock::system());
    assert!((0..10_000).all(|_| limiter.check(&ALICE).unwrap().is_none()));
}

#[test]
fn failures_lock_an_account_until_their_window_has_passed() {
    let clock = Clock::manual(Timestamp::from_millis(0));
    let failures = Failures::new(rate("2/10s"), &clock);
    failures.count("alice");
    assert!(failures.check("alice").is_ok());
    failures.count("alice");
    assert!(failures.check("alice").is_err());
    assert!(failures.check("bob").is_ok());
    clock.advance(Duration::from_secs(10));
    assert!(failures.check("alice").is_ok());
    failures.count("alice");
    assert!(failures.check("alice").is_ok(), "a new window starts at one");
    failures.forgive("alice");
    failures.count("alice");
    assert!(failures.check("alice").is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_struck_is_told_each_minute() {
    let (log, _guard) = Log::begin();
    let (clock, rates) = (Clock::system(), Config::from_vars(Vars::from_pairs(&[])).unwrap().rates);
    let limits = Arc::new(Limits::new(&rates, &clock));
    limits.tidy();
    struck("a minute of a test", None);
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert!(log.text().contains(r#"limit="a minute of a test" times=1"#), "{}", log.text());
}
