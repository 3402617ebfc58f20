//! What the chassis forgets after a while, and what it never does.

use std::collections::BTreeSet;

use quenty_kernel::Event;
use quenty_platform::operate;

use crate::{
    tally::{Added, LEDGER},
    waiting::until,
    world::World,
};

/// Rows of every status, each called by it and its age, on both sides of the age at which they have served their time.
const OLD_ROWS: &str = "
    insert into quenty.inbox (event_id, publisher, type, stream, stream_version, status, next_at, envelope, received_at, updated_at)
    select gen_random_uuid(), 'tally', case status when 'waiting' then 'TYPE' else status || age end, status || age, 1, status,
           case when status in ('waiting', 'unheard') then now() + interval '5 minutes' end,
           case when status in ('waiting', 'dead', 'unheard') then '{}'::jsonb end, now() - age::interval, now() - age::interval
    from unnest(array['done', 'waiting', 'dead', 'discarded', 'unheard']) as s(status), unnest(array[' 29 days', ' 31 days']) as a(age);
    insert into quenty.inbox (event_id, publisher, type, stream, stream_version, status, next_at, envelope, received_at, updated_at)
    select gen_random_uuid(), 'tally', 'another version''s', 'another version''s', 1, 'waiting', now() + interval '5 minutes', '{}', past, past
    from (select now() - interval '31 days') as long_ago(past);
    insert into quenty.tasks (id, kind, key, payload, status, run_at, lease_token, lease_until, correlation_id, created_at, updated_at)
    select gen_random_uuid(), 'planted', status || age, '{}', status, now(), case status when 'running' then gen_random_uuid() end,
           case status when 'running' then now() end, gen_random_uuid(), now() - age::interval, now() - age::interval
    from unnest(array['ready', 'running', 'done', 'dead', 'cancelled']) as s(status), unnest(array[' 6 days', ' 8 days']) as a(age);
    insert into quenty.idempotency (scope, key, body_hash, status, headers, created_at)
    select 'planted', age, '', 204, '{}', now() - age::interval from unnest(array['23 hours', '25 hours']) as a(age)";

async fn left(world: &World) -> BTreeSet<String> {
    let left = "select 'event ' || stream from quenty.inbox union all select 'task ' || key from quenty.tasks
                union all select 'key ' || key from quenty.idempotency";
    let left: Vec<String> = sqlx::query_scalar(left).fetch_all(world.db(LEDGER)).await.expect("rows");
    left.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_served_its_time_is_forgotten_but_never_which_types_were_heard() {
    let world = World::local().await;
    let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(OLD_ROWS.replace("TYPE", Added::TYPE)));
    rows.execute(world.db(LEDGER)).await.expect("old rows");
    let mut expected = left(&world).await;
    for served in [
        "event done 31 days",
        "event discarded 31 days",
        "event unheard 31 days",
        "task done 8 days",
        "task cancelled 8 days",
        "key 25 hours",
    ] {
        assert!(expected.remove(served), "{served}");
    }
    // The job that cleans runs at the start.
    let node = world.start(&[LEDGER]).await;
    // Tasks come last.
    let is_clean = |left: &BTreeSet<String>| !left.contains("task done 8 days");
    let left = until("what has served its time is removed", || left(&world), is_clean).await;
    assert_eq!(left, expected);

    let heard: BTreeSet<String> =
        operate::heard_types(world.db(LEDGER)).await.expect("types").into_iter().collect();
    let types = ["dead", "discarded", "done"]
        .iter()
        .flat_map(|status| ["29", "31"].map(|age| format!("{status} {age} days")));
    assert_eq!(heard, types.chain([Added::TYPE.to_owned()]).collect());
    node.stop().await;
}
