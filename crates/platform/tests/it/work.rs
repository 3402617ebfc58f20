//! Tasks and jobs: tried again, dead after eight tries, and never in one another's way.

use quenty_platform::operate;
use quenty_testkit::{TestApp, TestOptions, eventually};

use crate::probe::{Tries, enqueue, job_runs, service, start_with, written};

fn impatient() -> TestOptions {
    let settings = vec![("retry_pause_ms", "1".to_owned())];
    TestOptions { settings, ..TestOptions::default() }
}

async fn start(tries: &Tries) -> TestApp {
    start_with(tries, impatient()).await
}

async fn dead(app: &TestApp) -> operate::DeadLetter {
    eventually("the task is dead", || async {
        operate::dead_letters(app.app.db()).await.expect("dead letters").pop()
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_keeps_failing_is_dead_after_eight_tries_and_lives_again_when_replayed() {
    let tries = Tries::default();
    let app = start(&tries).await;
    enqueue(&app, "fail", "one").await;
    let letter = dead(&app).await;
    assert_eq!((letter.attempts, letter.error.as_deref(), tries.count()), (8, Some("not this time"), 8));
    assert_eq!(written(&app).await, [0; 0], "what a failed try wrote is gone");

    operate::replay(app.app.db(), letter.id).await.expect("a dead letter");
    eventually("it was tried again", || async { (tries.count() > 8).then_some(()) }).await;
    let again = dead(&app).await;
    operate::discard(app.app.db(), again.id).await.expect("a dead letter");
    app.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn panics_end_neither_the_workers_nor_the_jobs_beside_them() {
    let tries = Tries::default();
    let app = start(&tries).await;
    // More than there are workers.
    for n in 0..6 {
        enqueue(&app, "panic", &n.to_string()).await;
    }
    eventually("all are dead", || async {
        (operate::dead_letters(app.app.db()).await.expect("dead letters").len() == 6).then_some(())
    })
    .await;
    assert_eq!(tries.count(), 48);
    enqueue(&app, "note", "after").await;
    let runs = job_runs(&app);
    eventually("the job goes on", || async { (job_runs(&app) > runs).then_some(()) }).await;
    eventually("the workers work", || async { (written(&app).await == [1]).then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_try_that_never_ends_has_failed_and_there_is_another() {
    let tries = Tries::default();
    let settings = vec![("retry_pause_ms", "1".to_owned()), ("task_timeout_ms", "1000".to_owned())];
    let app = start_with(&tries, TestOptions { settings, ..TestOptions::default() }).await;
    enqueue(&app, "hang", "one").await;
    eventually("a later try did it", || async { (!written(&app).await.is_empty()).then_some(()) }).await;
    assert!(tries.count() > 1);
    app.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_whose_worker_was_killed_is_taken_over_but_not_for_ever() {
    let app = start(&Tries::default()).await;
    for (key, attempts) in [("young", 1), ("old", 8)] {
        sqlx::query(
            "insert into quenty.tasks (id, kind, key, payload, status, run_at, attempts, lease_token, lease_until, correlation_id, created_at, updated_at)
             values (gen_random_uuid(), 'note', $1, '{}', 'running', now(), $2, gen_random_uuid(), now() - interval '1 second', gen_random_uuid(), now(), now())",
        )
        .bind(key)
        .bind(attempts)
        .execute(app.app.db())
        .await
        .expect("a task that was cut off");
    }
    let letter = dead(&app).await;
    assert_eq!((letter.subject.as_str(), letter.attempts), ("old", 9));
    eventually("the other one is done", || async { (written(&app).await == [2]).then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_put_off_by_a_clock_that_was_ahead_is_brought_back() {
    let tries = Tries::default();
    let app = start(&tries).await;
    for (key, is_leased, until) in
        [("backing off", false, "5 minutes"), ("put off", false, "1 day"), ("leased", true, "1 day")]
    {
        sqlx::query(
            "insert into quenty.tasks (id, kind, key, payload, status, run_at, lease_token, lease_until, correlation_id, created_at, updated_at)
             values (gen_random_uuid(), 'note', $1, '{}', case when $2 then 'running' else 'ready' end, now() + $3::text::interval,
                     case when $2 then gen_random_uuid() end, case when $2 then now() + $3::text::interval end, gen_random_uuid(), now(), now())",
        )
        .bind(key)
        .bind(is_leased)
        .bind(until)
        .execute(app.app.db())
        .await
        .expect("a task");
    }
    // The job that cleans runs at the start.
    let app = TestApp::start_on(service(&tries), impatient(), app.stop().await).await;
    eventually("one is done", || async { (written(&app).await == [1]).then_some(()) }).await;
    let ends = "select lease_until <= now() + interval '1 minute' from quenty.tasks where key = 'leased'";
    eventually("the lease of the other ends within a minute", || async {
        let ends: bool = sqlx::query_scalar(ends).fetch_one(app.app.db()).await.expect("the task");
        ends.then_some(())
    })
    .await;
    let waits: Vec<String> = sqlx::query_scalar("select key from quenty.tasks where status = 'ready'")
        .fetch_all(app.app.db())
        .await
        .expect("tasks");
    assert_eq!(waits, ["backing off"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kind_that_this_version_does_not_know_is_left_to_those_that_do() {
    let app = start(&Tries::default()).await;
    enqueue(&app, "of the next version", "one").await;
    enqueue(&app, "note", "two").await;
    eventually("what is known is done", || async { (written(&app).await == [1]).then_some(()) }).await;
    let untouched: (String, i32) =
        sqlx::query_as("select status, attempts from quenty.tasks where key = 'one'")
            .fetch_one(app.app.db())
            .await
            .expect("the task");
    assert_eq!(untouched, ("ready".to_owned(), 0));
}
