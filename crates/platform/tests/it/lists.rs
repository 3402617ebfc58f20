//! Lists that are read from a replica of the database: never older than their request, and with or without it.

use quenty_kernel::id::new_uuid;
use quenty_platform::{
    App, db,
    embedded_postgres::{EmbeddedPostgres, Options, Primary, Replica},
};
use quenty_testkit::{TestOptions, eventually, ports::free_ports, scratch_dir::ScratchDir};

use crate::{
    probe::{Tries, start_with},
    tally::MIGRATIONS,
};

const DATABASE: &str = "probe";
const PASSWORD: &str = "for-tests-on-loopback";

/// A server with the probe's database, and one that may be copied from it.
async fn primary(folder: &ScratchDir) -> (EmbeddedPostgres, Options, Primary) {
    let options = Options { replicated: true, ..Options::new(folder.path().join("postgres")) };
    let server = EmbeddedPostgres::start(options.clone()).await.unwrap();
    let superuser = server.superuser_url("postgres");
    db::create_database(&superuser, DATABASE, PASSWORD, PASSWORD).await.unwrap();
    let owner = url(&db::owner_role(DATABASE), server.port());
    db::migrate(&owner, &db::app_role(DATABASE), &MIGRATIONS).await.unwrap();
    db::create_replication_role(&superuser, PASSWORD).await.unwrap();
    let primary =
        Primary { data_dir: options.data_dir.clone(), port: server.port(), password: PASSWORD.to_owned() };
    let [port] = free_ports().unwrap();
    let copy =
        Options { data_dir: folder.path().join("replica"), port: Some(port), ephemeral: true, ..options };
    (server, copy, primary)
}

fn url(role: &str, port: u16) -> String {
    format!("postgres://{role}:{PASSWORD}@127.0.0.1:{port}/{DATABASE}")
}

/// Changes something, and reads it as a list would: whether it is there, and whether the replica said so.
async fn change_and_list(app: &App) -> (bool, bool) {
    let id = new_uuid();
    sqlx::query("insert into counters (id) values ($1)").bind(id).execute(app.db()).await.unwrap();
    let read = "select exists (select from counters where id = $1), pg_is_in_recovery()";
    sqlx::query_as(read).bind(id).fetch_one(app.lists().await).await.unwrap()
}

async fn until_the_replica_answers(app: &App) {
    eventually("the replica answers", || async {
        let (found, by_replica) = change_and_list(app).await;
        assert!(found, "who has just changed something finds it");
        by_replica.then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn show_all_that_was_committed_before_them_also_while_the_replica_comes_and_goes() {
    let folder = ScratchDir::new("quenty-lists").unwrap();
    let (server, copy, primary) = primary(&folder).await;
    let replica = Replica::start(copy.clone(), primary.clone()).await.unwrap();
    let app = db::app_role(DATABASE);
    let settings =
        vec![("database_url", url(&app, server.port())), ("replica_url", url(&app, replica.port()))];
    let probe = start_with(&Tries::default(), TestOptions { settings, ..TestOptions::default() }).await;

    until_the_replica_answers(&probe.app).await;
    for _ in 0..50 {
        assert!(change_and_list(&probe.app).await.0, "who has just changed something finds it");
    }
    replica.stop().await.unwrap();
    assert_eq!(change_and_list(&probe.app).await, (true, false), "the primary answers");
    let replica = Replica::start(copy, primary).await.unwrap();
    until_the_replica_answers(&probe.app).await;

    drop(probe);
    replica.stop().await.unwrap();
    server.stop().await.unwrap();
}
