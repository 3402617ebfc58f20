//! Signed checkpoints: who can rewrite a journal so that its chains hold is found out by what was signed before.

use std::{io::Write, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use quenty_kernel::clock::wall_now;
use quenty_platform::{
    checkpoints::{self, Checked, file_of, public_half},
    journal,
};
use quenty_testkit::{TestApp, TestOptions, database::TestDatabase};
use sqlx::PgPool;

use crate::{
    faults::Faults,
    tally::{Added, CounterFact, CounterId, TALLY, begin, service},
};

const OURS: u8 = 7;

fn key(seed: u8) -> String {
    STANDARD.encode([seed; 32])
}

/// Replicas of one service; those without a folder sign nothing.
async fn start(database: &TestDatabase, folder: Option<&Path>, seed: u8) -> TestApp {
    let signed =
        folder.map(|folder| vec![("audit_dir", folder.display().to_string()), ("audit_key", key(seed))]);
    let options = TestOptions { settings: signed.unwrap_or_default(), ..TestOptions::default() };
    TestApp::start_on(service(TALLY, Faults::default()), options, database.clone()).await
}

async fn record(app: &TestApp, counter: CounterId, numbers: std::ops::Range<i64>) {
    for n in numbers {
        let mut tx = begin(&app.app).await;
        tx.record(counter, None, &CounterFact::Added(Added { n })).expect("a fact");
        tx.commit().await.expect("it commits");
    }
}

async fn verify_at(db: &PgPool, folder: &Path, now: Timestamp) -> Checked {
    let trusted = [public_half(&key(OURS)).expect("a key")];
    checkpoints::verify(db, folder, TALLY, &trusted, now).await.expect("the database answers")
}

async fn findings(db: &PgPool, folder: &Path) -> Vec<String> {
    let chains = journal::verify(db).await.expect("the database answers");
    assert_eq!(chains.findings, [], "the chains themselves show nothing");
    verify_at(db, folder, wall_now()).await.findings
}

async fn run(owner: &PgPool, statement: &'static str, stream: &str) {
    let done = sqlx::query(statement).bind(stream).execute(owner).await.expect("the owner may do anything");
    assert!(done.rows_affected() > 0, "{statement}");
}

#[tokio::test]
async fn a_journal_that_was_rewritten_or_cut_off_is_found_by_what_was_signed_of_it() {
    let scratch = tempfile::tempdir().expect("a folder");
    let ours = scratch.path().join("ours");
    let tally = service(TALLY, Faults::default());
    let database = TestDatabase::create(tally.name, tally.migrations).await.expect("a database");
    let owner = PgPool::connect(&database.owner_url).await.expect("the owner may connect");
    let (rewritten, cut) = (CounterId::new(), CounterId::new());

    // Two replicas at once, and one that was killed while it wrote.
    let (first, second) =
        (start(&database, Some(&ours), OURS).await, start(&database, Some(&ours), OURS).await);
    record(&first, rewritten, 1..4).await;
    first.stop().await;
    second.stop().await;
    let file = file_of(&ours, TALLY);
    let mut torn = std::fs::File::options().append(true).open(&file).expect("there are checkpoints");
    torn.write_all(b"half a li").expect("it can be written");
    let third = start(&database, Some(&ours), OURS).await;
    record(&third, cut, 1..3).await;
    third.stop().await;
    let sound = verify_at(&owner, &ours, wall_now()).await;
    assert_eq!(sound.findings, [""; 0]);
    assert!(sound.checkpoints >= 2, "{sound:?}");
    let genuine = std::fs::read_to_string(&file).expect("a text");

    // What is never signed is told once it is old enough; what was signed is no older for it.
    let unsigned = start(&database, None, OURS).await;
    record(&unsigned, CounterId::new(), 1..2).await;
    let in_two_hours = wall_now() + SignedDuration::from_hours(2);
    let [late] = &verify_at(&owner, &ours, in_two_hours).await.findings[..] else { panic!("one finding") };
    assert!(late.contains("was never signed"), "{late}");
    assert_eq!(findings(&owner, &ours).await, [""; 0]);

    // The service itself writes another history, with all its hashes.
    let stream = rewritten.to_string();
    run(&owner, "delete from quenty.journal where stream = $1", &stream).await;
    run(&owner, "delete from quenty.stream_heads where stream = $1", &stream).await;
    record(&unsigned, rewritten, 101..105).await;
    unsigned.stop().await;
    let [told] = &findings(&owner, &ours).await[..] else { panic!("one finding") };
    assert!(told.contains(&stream) && told.contains("was rewritten"), "{told}");

    let stream = cut.to_string();
    run(&owner, "delete from quenty.journal where stream = $1 and stream_version = 2", &stream).await;
    let head = "update quenty.stream_heads h set version = 1, hash = j.hash
                from quenty.journal j where j.stream = h.stream and h.stream = $1";
    run(&owner, head, &stream).await;
    let told = findings(&owner, &ours).await;
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told.iter().any(|told| told.contains(&stream) && told.contains("was cut off")), "{told:#?}");

    // Checkpoints of the new history, in place of ours.
    let forged = scratch.path().join("forged");
    start(&database, Some(&forged), OURS + 1).await.stop().await;
    std::fs::copy(file_of(&forged, TALLY), &file).expect("it can be replaced");
    let told = verify_at(&owner, &ours, wall_now()).await;
    assert_eq!(told.checkpoints, 0);
    assert!(told.findings[0].contains("signed by no key that is trusted"), "{told:#?}");

    let without_the_first: Vec<_> = genuine.lines().skip(1).collect();
    std::fs::write(&file, without_the_first.join("\n")).expect("it can be written");
    let told = findings(&owner, &ours).await.join("\n");
    assert!(told.contains("does not follow"), "{told}");

    std::fs::remove_file(&file).expect("it can be removed");
    let told = findings(&owner, &ours).await.join("\n");
    assert!(told.contains("is missing"), "{told}");
}

#[tokio::test]
async fn what_is_put_in_behind_what_was_signed_is_found() {
    let scratch = tempfile::tempdir().expect("a folder");
    let tally = service(TALLY, Faults::default());
    let database = TestDatabase::create(tally.name, tally.migrations).await.expect("a database");
    let owner = PgPool::connect(&database.owner_url).await.expect("the owner may connect");
    let app = start(&database, Some(scratch.path()), OURS).await;
    let counter = CounterId::new();
    record(&app, counter, 1..3).await;
    app.stop().await;
    // As if it had been a while ago: what is younger may still be on its way, and is signed once more.
    let older = "update quenty.journal set recorded_at = recorded_at - interval '1 hour' where stream = $1";
    run(&owner, older, &counter.to_string()).await;
    start(&database, Some(scratch.path()), OURS).await.stop().await;
    assert_eq!(verify_at(&owner, scratch.path(), wall_now()).await.findings, [""; 0]);

    let planted = "insert into quenty.journal (seq, id, stream, stream_version, type, data, actor, correlation_id, occurred_at, recorded_at, prev_hash, hash)
         overriding system value
         select -seq, gen_random_uuid(), 'planted', stream_version, type, data, actor, correlation_id, occurred_at, recorded_at, prev_hash, hash
         from quenty.journal where stream = $1";
    run(&owner, planted, &counter.to_string()).await;
    let [told] = &verify_at(&owner, scratch.path(), wall_now()).await.findings[..] else {
        panic!("one finding")
    };
    assert!(told.contains("planted was put in"), "{told}");
}
