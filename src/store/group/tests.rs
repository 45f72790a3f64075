//! Items that somebody waits for.

mod offered;

use std::task::Poll;
use std::time::Duration;

use futures_util::{future, poll};
use tokio::sync::Semaphore;

use super::*;
use crate::error::Code;

/// A writer that shows each batch and holds it until it is let through.
struct Gated {
    group: GroupCommit<u32, u32>,
    batches: mpsc::UnboundedReceiver<Vec<u32>>,
    gate: Arc<Semaphore>,
}

fn gated(max_batch: usize, queue: usize) -> Gated {
    let (shown, batches) = mpsc::unbounded_channel();
    let gate = Arc::new(Semaphore::new(0));
    let door = Arc::clone(&gate);
    let group = GroupCommit::spawn("test", max_batch, queue, move |items: Vec<u32>| {
        let door = Arc::clone(&door);
        shown.send(items.clone()).unwrap();
        async move {
            door.acquire().await.unwrap().forget();
            items.into_iter().map(|item| Ok(item * 10)).collect()
        }
        .boxed()
    });
    Gated { group, batches, gate }
}

#[tokio::test]
async fn what_arrives_during_a_write_is_one_batch_in_order() {
    let mut test = gated(100, 100);
    let mut first = Box::pin(test.group.submit(1));
    assert_eq!(poll!(&mut first), Poll::Pending);
    assert_eq!(test.batches.recv().await, Some(vec![1]));

    let mut later: Vec<_> = (2..=50).map(|item| Box::pin(test.group.submit(item))).collect();
    for submitted in &mut later {
        assert_eq!(poll!(submitted), Poll::Pending);
    }
    test.gate.add_permits(2);
    assert_eq!(first.await, Ok(10));
    let results = future::join_all(later).await;
    assert_eq!(results, (2..=50).map(|item| Ok(item * 10)).collect::<Vec<_>>());
    assert_eq!(test.batches.recv().await, Some((2..=50).collect()));
}

#[tokio::test]
async fn a_batch_is_never_larger_than_allowed() {
    let mut test = gated(3, 100);
    test.gate.add_permits(100);
    let all = (1..=7).map(|item| test.group.submit(item));
    assert!(future::join_all(all).await.iter().all(Result::is_ok));
    assert_eq!(test.batches.recv().await, Some(vec![1, 2, 3]));
    assert_eq!(test.batches.recv().await, Some(vec![4, 5, 6]));
    assert_eq!(test.batches.recv().await, Some(vec![7]));
}

#[tokio::test]
async fn a_full_queue_refuses_and_recovers() {
    let mut test = gated(10, 2);
    let mut first = Box::pin(test.group.submit(1));
    assert!(poll!(&mut first).is_pending());
    test.batches.recv().await;
    let (mut second, mut third) = (Box::pin(test.group.submit(2)), Box::pin(test.group.submit(3)));
    assert!(poll!(&mut second).is_pending());
    assert!(poll!(&mut third).is_pending());
    assert_eq!(test.group.submit(4).await.unwrap_err().code, Code::Unavailable);

    test.gate.add_permits(100);
    assert_eq!((first.await, second.await, third.await), (Ok(10), Ok(20), Ok(30)));
    assert_eq!(test.group.submit(5).await, Ok(50));
}

#[tokio::test(start_paused = true)]
async fn closing_writes_what_was_accepted_and_refuses_the_rest() {
    let group = GroupCommit::spawn("test", 2, 10, |items: Vec<u32>| {
        async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            items.into_iter().map(Ok).collect()
        }
        .boxed()
    });
    let mut accepted: Vec<_> = (1..=5).map(|item| Box::pin(group.submit(item))).collect();
    for submitted in &mut accepted {
        assert!(poll!(submitted).is_pending());
    }
    tokio::join!(group.close(), group.close());
    assert_eq!(group.submit(6).await.unwrap_err().code, Code::Unavailable);
    for (submitted, item) in accepted.into_iter().zip(1..) {
        assert_eq!(submitted.now_or_never(), Some(Ok(item)));
    }
}

#[tokio::test]
async fn a_broken_write_fails_its_callers_and_not_the_writer() {
    let group = GroupCommit::spawn("test", 10, 10, |items: Vec<u32>| match items[0] {
        1 => panic!("before the write"),
        2 => async { panic!("in the write") }.boxed(),
        3 => future::ready(vec![Ok(1), Ok(2)]).boxed(),
        _ => future::ready(items.into_iter().map(Ok).collect()).boxed(),
    });
    for item in 1..=3 {
        assert_eq!(group.submit(item).await.unwrap_err().code, Code::Internal, "{item}");
    }
    assert_eq!(group.submit(4).await, Ok(4));
}

#[tokio::test]
async fn an_accepted_item_is_written_though_its_caller_left() {
    let mut test = gated(10, 10);
    let mut left = Box::pin(test.group.submit(1));
    assert!(poll!(&mut left).is_pending());
    drop(left);
    test.gate.add_permits(1);
    test.group.close().await;
    assert_eq!(test.batches.recv().await, Some(vec![1]));
}

#[test]
fn a_writer_counts_what_it_commits() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let group = GroupCommit::spawn("counted", 10, 10, |items: Vec<u32>| {
                future::ready(items.into_iter().map(Ok).collect()).boxed()
            });
            let all = (1..=3).map(|item| group.submit(item));
            assert_eq!(future::join_all(all).await, [Ok(1), Ok(2), Ok(3)]);
        });
    });
    let shown = recorder.handle().render();
    for line in [
        "waggle_group_commits_total{writer=\"counted\"} 1",
        "waggle_group_items_total{writer=\"counted\"} 3",
        "waggle_group_batch_size_sum{writer=\"counted\"} 3",
        "waggle_group_commit_seconds_count{writer=\"counted\"} 1",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
}
