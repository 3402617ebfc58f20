//! The journal as the history of an aggregate.

use jiff::SignedDuration;
use quenty_kernel::Scope;
use quenty_platform::journal;

use crate::{
    tally::{self, ALL, CounterId, Noted, TALLY, add},
    world::World,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_up_to_a_moment_leaves_nothing_out_in_the_middle() {
    let world = World::local().await;
    let node = world.start(&ALL).await;
    let counter = CounterId::new();
    // It begins first, and is the last to commit.
    let mut slow = tally::begin(&node.app(TALLY)).await;
    add(&node.app(TALLY), counter).await;
    let earlier = slow.now();
    tally::record(&mut slow, counter, Noted {});
    slow.commit().await.expect("a commit");

    let versions = async |as_of| {
        let entries = journal::entries(world.db(TALLY), Scope::All, &counter.to_string(), Some(as_of)).await;
        let versions = entries.expect("a journal").into_iter().map(|entry| entry.stream_version);
        versions.collect::<Vec<_>>()
    };
    assert_eq!(versions(earlier).await, [1, 2]);
    assert!(versions(earlier - SignedDuration::from_millis(1)).await.is_empty());
    world.finish([node]).await;
}
