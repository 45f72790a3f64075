//! Items that nobody waits for.

use std::time::Duration;

use futures_util::future;

use super::*;

/// A gathering writer that shows when it writes what, and fails while it is told to.
struct Gathering {
    group: GroupCommit<u32, u32>,
    batches: mpsc::UnboundedReceiver<(u64, Vec<u32>)>,
    failure: Arc<Mutex<Option<Error>>>,
}

/// Gathers for 100 ms. Times are in tens of milliseconds, counted from here.
fn gathering(max_batch: usize, queue: usize) -> Gathering {
    let (shown, batches) = mpsc::unbounded_channel();
    let failure = Arc::new(Mutex::new(None));
    let (told, started) = (Arc::clone(&failure), Instant::now());
    let write = move |items: Vec<u32>| {
        let now = started.elapsed().as_millis() as u64 / 10;
        shown.send((now, items.clone())).unwrap();
        let failure: Option<Error> = told.lock().unwrap().clone();
        let result = |item: &u32| failure.clone().map_or(Ok(item * 10), Err);
        let results = items.iter().map(result).collect();
        future::ready((items, results)).boxed()
    };
    let gather = Duration::from_millis(100);
    let group = GroupCommit::spawn_gathering("gathering", max_batch, queue, gather, write);
    Gathering { group, batches, failure }
}

impl Gathering {
    fn fail(&self, error: impl Into<Option<Error>>) {
        *self.failure.lock().unwrap() = error.into();
    }

    fn offer<const N: usize>(&self, items: [u32; N]) {
        for item in items {
            self.group.offer(item).unwrap();
        }
    }
}

fn away() -> Error {
    Error::unavailable("away")
}

#[tokio::test(start_paused = true)]
async fn what_is_offered_waits_for_more_from_the_first_on() {
    let mut test = gathering(10, 10);
    test.offer([1]);
    tokio::time::advance(Duration::from_millis(60)).await;
    test.offer([2]);
    assert_eq!(test.batches.recv().await, Some((10, vec![1, 2])));
    test.offer([3]);
    assert_eq!(test.batches.recv().await, Some((20, vec![3])));
}

#[tokio::test(start_paused = true)]
async fn a_full_batch_of_offered_items_is_written_at_once() {
    let mut test = gathering(3, 10);
    test.offer([1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(test.batches.recv().await, Some((0, vec![1, 2, 3])));
    assert_eq!(test.batches.recv().await, Some((0, vec![4, 5, 6])));
    assert_eq!(test.batches.recv().await, Some((10, vec![7])));
}

#[tokio::test(start_paused = true)]
async fn an_item_that_is_awaited_takes_the_offered_ones_along() {
    let mut test = gathering(3, 10);
    test.offer([1, 2]);
    tokio::time::advance(Duration::from_millis(50)).await;
    test.offer([3]);
    assert_eq!(test.batches.recv().await, Some((5, vec![1, 2, 3])));
    test.offer([4, 5]);
    assert_eq!(test.group.submit(6).await, Ok(60));
    assert_eq!(test.batches.recv().await, Some((5, vec![6, 4, 5])));
}

#[tokio::test]
async fn a_writer_that_does_not_gather_writes_offered_items_at_once() {
    let mut test = gated(10, 10);
    test.group.offer(1).unwrap();
    assert_eq!(test.batches.recv().await, Some(vec![1]));
}

#[tokio::test(start_paused = true)]
async fn an_offer_is_refused_by_a_full_queue_and_by_a_closed_writer() {
    let mut test = gathering(10, 2);
    test.offer([1, 2]);
    assert_eq!(test.group.offer(3).unwrap_err().code, Code::Unavailable);
    assert_eq!(test.batches.recv().await, Some((10, vec![1, 2])));
    test.offer([4]);
    test.group.close().await;
    assert_eq!(test.batches.recv().await, Some((10, vec![4])));
    assert_eq!(test.group.offer(5).unwrap_err().code, Code::Unavailable);
    assert_eq!(test.batches.recv().await, None);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_now_is_tried_again_after_growing_pauses() {
    let mut test = gathering(3, 10);
    test.fail(away());
    test.offer([1, 2]);
    assert_eq!(test.batches.recv().await, Some((10, vec![1, 2])));
    // The pause holds though there is a whole batch.
    test.offer([3, 4]);
    for tried in [35, 85, 185, 385, 785, 1285, 1785] {
        assert_eq!(test.batches.recv().await, Some((tried, vec![1, 2, 3])));
    }
    test.fail(None);
    assert_eq!(test.batches.recv().await, Some((2285, vec![1, 2, 3])));
    assert_eq!(test.batches.recv().await, Some((2285, vec![4])));
    // All is as before.
    test.fail(away());
    test.offer([5]);
    assert_eq!(test.batches.recv().await, Some((2295, vec![5])));
    assert_eq!(test.batches.recv().await, Some((2320, vec![5])));
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_answered_at_once_however_much_cannot_be_written() {
    let mut test = gathering(2, 10);
    test.fail(away());
    test.offer([1, 2, 3]);
    assert_eq!(test.batches.recv().await, Some((0, vec![1, 2])));
    assert_eq!(test.group.submit(4).await, Err(away()));
    assert_eq!(test.batches.recv().await, Some((0, vec![4, 1])));
    test.fail(None);
    assert_eq!(test.group.submit(5).await, Ok(50));
    assert_eq!(test.batches.recv().await, Some((0, vec![5, 1])));
    assert_eq!(test.batches.recv().await, Some((0, vec![2, 3])));
}

#[tokio::test(start_paused = true)]
async fn closing_tries_a_last_time() {
    let mut test = gathering(2, 10);
    test.fail(away());
    test.offer([1, 2, 3]);
    assert_eq!(test.batches.recv().await, Some((0, vec![1, 2])));
    test.fail(None);
    test.group.close().await;
    assert_eq!(test.batches.recv().await, Some((0, vec![1, 2])));
    assert_eq!(test.batches.recv().await, Some((0, vec![3])));
    assert_eq!(test.batches.recv().await, None);
}

#[test]
fn what_is_given_up_is_counted() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    let shown = |dropped| {
        let line = format!("waggle_group_dropped_total{{writer=\"gathering\"}} {dropped}");
        let shown = recorder.handle().render();
        assert!(shown.contains(&line), "{dropped}: {shown}");
    };
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let mut test = gathering(2, 3);
            test.fail(away());
            test.offer([1, 2, 3]);
            assert_eq!(test.batches.recv().await, Some((0, vec![1, 2])));
            test.offer([4, 5]);
            // Three may be kept: the newest.
            assert_eq!(test.batches.recv().await, Some((25, vec![3, 4])));
            shown(2);
            test.fail(None);
            assert_eq!(test.batches.recv().await, Some((75, vec![3, 4])));
            assert_eq!(test.batches.recv().await, Some((75, vec![5])));
            shown(2);
            // What is refused for good is not tried again.
            test.fail(Error::internal("no"));
            test.offer([6]);
            assert_eq!(test.batches.recv().await, Some((85, vec![6])));
            shown(3);
            test.fail(away());
            test.offer([7]);
            assert_eq!(test.batches.recv().await, Some((95, vec![7])));
            test.group.close().await;
            assert_eq!(test.batches.recv().await, Some((95, vec![7])));
            assert_eq!(test.batches.recv().await, None);
            shown(4);
        });
    });
}
