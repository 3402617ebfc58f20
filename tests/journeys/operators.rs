//! What operators rely on: `doctor` and `audit verify` see what is wrong, and a database's role cannot do more
//! than its service needs.

use std::{
    collections::BTreeMap,
    str::FromStr,
    time::{Duration, Instant},
};

use quenty_platform::db::owner_role;
use quenty_testkit::scratch_dir::ScratchDir;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

use crate::harness::{
    Cast, Cluster, Environment, Person, Up,
    cluster::{GATEWAY, Own},
    process, services, until,
    up::text,
};

const LIMIT: Duration = Duration::from_secs(60);

async fn run(up: &Up, arguments: &[&str]) -> (bool, Value) {
    told(&[arguments, &["--data", text(&up.ready.data)]].concat(), &Environment::new()).await
}

async fn told(arguments: &[&str], environment: &Environment) -> (bool, Value) {
    let output = process::run(&[arguments, &["--json"]].concat(), environment).await;
    let told = serde_json::from_slice(&output.stdout);
    let told = told.unwrap_or_else(|error| panic!("{error}: {output:?}"));
    (output.status.success(), told)
}

fn failing(told: &Value) -> Vec<String> {
    let findings = told.as_array().expect("a list of findings").iter();
    let failing = findings.filter(|finding| finding["ok"] == false);
    failing.map(|finding| format!("{}: {}", finding["service"], finding["check"]).replace('"', "")).collect()
}

#[tokio::test]
async fn doctor_is_content_with_a_healthy_platform_and_names_what_is_wrong() {
    let up = Up::ephemeral(&[]).await;
    let (well, told) = run(&up, &["doctor"]).await;
    assert!(well, "{told:#}");
    assert_eq!(failing(&told), Vec::<String>::new());

    let pool = up.stage.pool("pickup");
    sqlx::raw_sql(
        "insert into quenty.inbox (event_id, publisher, type, stream, stream_version, status, attempts, error, envelope, received_at, updated_at)
         values (gen_random_uuid(), 'order', 'quenty.order.order.pickup_requested.v1', 'ORD-PLANTED', 1, 'dead', 8, 'planted', '{}', now(), now())",
    )
    .execute(&pool)
    .await
    .expect("a dead letter");
    let (well, told) = run(&up, &["doctor"]).await;
    assert!(!well);
    assert_eq!(failing(&told), ["pickup: dead letters"]);

    // The one waits behind it, the other was replayed and has its tries before it.
    sqlx::raw_sql(
        "insert into quenty.inbox (event_id, publisher, type, stream, stream_version, status, attempts, next_at, error, envelope, received_at, updated_at)
         select gen_random_uuid(), 'order', 'quenty.order.order.pickup_requested.v1', stream, version, 'waiting', attempts,
                now() + interval '10 minutes', 'planted', '{}', now() - interval '10 minutes', now()
         from (values ('ORD-PLANTED', 2, 1), ('ORD-REPLAYED', 1, 0)) as planted (stream, version, attempts)",
    )
    .execute(&pool)
    .await
    .expect("what waits");
    let (well, told) = run(&up, &["doctor"]).await;
    assert!(!well);
    assert_eq!(failing(&told), ["pickup: dead letters"]);
    assert_eq!(detail(&told, "pickup", "waiting events"), "1 wait, not tried yet");

    // Neither is dead: the one is tried again much later, and nobody has a worker for the other.
    sqlx::raw_sql(
        "insert into quenty.inbox (event_id, publisher, type, stream, stream_version, status, attempts, next_at, error, envelope, received_at, updated_at)
         values (gen_random_uuid(), 'order', 'quenty.order.order.pickup_requested.v1', 'ORD-WAITING', 1, 'waiting', 6,
                 now() + interval '10 minutes', 'planted', '{}', now() - interval '10 minutes', now());
         insert into quenty.tasks (id, kind, key, payload, status, run_at, correlation_id, created_at, updated_at)
         values (gen_random_uuid(), 'planted', '1', '{}', 'ready', now() - interval '1 hour', gen_random_uuid(), now(), now())",
    )
    .execute(&pool)
    .await
    .expect("what waits and what is late");
    let (well, told) = run(&up, &["doctor"]).await;
    assert!(!well);
    assert_eq!(failing(&told), ["pickup: dead letters", "pickup: waiting events", "pickup: tasks"]);
    sqlx::raw_sql(
        "delete from quenty.inbox where status = 'waiting'; delete from quenty.tasks where kind = 'planted'",
    )
    .execute(&pool)
    .await
    .expect("they can be forgotten");

    Cast::enter(&up.stage).await;
    let mut owner = PgConnection::connect(&owner_url(&up, "order")).await.expect("the owner may connect");
    let planted = sqlx::query("update stock_items set on_hand = on_hand + 1").execute(&mut owner).await;
    assert!(planted.expect("the owner may do anything").rows_affected() > 0);
    let (well, told) = run(&up, &["doctor"]).await;
    assert!(!well);
    assert_eq!(failing(&told), ["order: stock_is_its_ledger", "pickup: dead letters"]);
    up.stop().await;
}

#[tokio::test]
async fn doctor_says_of_a_killed_platform_that_it_does_not_run() {
    let up = Up::durable(ScratchDir::new("quenty-doctor").expect("a folder")).await;
    assert!(run(&up, &["doctor"]).await.0);
    up.process.kill().await;
    let (well, told) = run(&up, &["doctor"]).await;
    assert!(!well);
    let of_gateway = detail(&told, GATEWAY, "port");
    assert!(of_gateway.contains("does not run") && of_gateway.contains("--data"), "{of_gateway}");
}

#[tokio::test]
async fn doctor_names_the_process_the_broker_or_the_database_that_is_away() {
    let mut cluster =
        Cluster::start_with(Own { rabbit: true, postgres: true, certificates: true, ..Own::default() }).await;
    let environment = environment_of(&cluster);
    // They serve before they have reached the broker.
    until_content(&environment).await;

    let (order, mut several) = (cluster.url("order"), environment.clone());
    several.insert("QUENTY_ORDER_URL".to_owned(), format!("{order}, {order}/"));
    let (well, found) = told(&["doctor"], &several).await;
    assert!(well, "{found:#}");
    assert!(detail(&found, "order", "port").starts_with(&order), "each says which it is: {found:#}");
    several.insert("QUENTY_ORDER_URL".to_owned(), format!("{order},http://127.0.0.1:9"));
    let (well, found) = told(&["doctor"], &several).await;
    assert!(!well);
    assert_eq!(failing(&found), ["order: port", "order: bus"], "the one that is away: {found:#}");

    let mut wrong = environment.clone();
    wrong.insert("QUENTY_ORDER_URL".to_owned(), cluster.url("auth"));
    wrong.remove("QUENTY_PICKUP_DATABASE_URL");
    let (well, found) = told(&["doctor"], &wrong).await;
    assert!(!well);
    assert_eq!(failing(&found), ["order: port", "order: bus", "pickup: database"]);
    assert!(detail(&found, "order", "port").contains("answers auth: correct QUENTY_ORDER_URL"), "{found:#}");
    assert!(detail(&found, "pickup", "database").contains("QUENTY_PICKUP_DATABASE_URL"), "{found:#}");

    cluster.kill("pickup").await;
    let found = until_failing(&environment, "pickup: port").await;
    assert!(failing(&found).contains(&format!("{GATEWAY}: port")), "{found:#}");
    assert!(detail(&found, "pickup", "port").contains("quenty serve pickup"), "{found:#}");
    cluster.launch("pickup");
    cluster.is_ready().await;

    cluster.kill_rabbit().await;
    let found = until_failing(&environment, "order: bus").await;
    assert!(failing(&found).contains(&"broker: dead letters".to_owned()), "{found:#}");
    assert!(!failing(&found).contains(&"order: port".to_owned()), "it serves all the same: {found:#}");

    cluster.postgres.as_mut().expect("a server of its own").stop().await;
    let found = until_failing(&environment, "order: port").await;
    assert!(detail(&found, "order", "port").contains("database"), "a 503 is read, too: {found:#}");
    assert!(failing(&found).contains(&"order: database".to_owned()), "{found:#}");
}

/// Asks until the doctor finds nothing wrong.
async fn until_content(environment: &Environment) {
    let started = Instant::now();
    loop {
        let (well, found) = told(&["doctor"], environment).await;
        if well {
            return;
        }
        assert!(started.elapsed() < LIMIT, "not within {LIMIT:?}: {found:#}");
    }
}

/// Asks until the doctor has found this.
async fn until_failing(environment: &Environment, what: &str) -> Value {
    until(LIMIT, what, async || {
        let (_, found) = told(&["doctor"], environment).await;
        failing(&found).iter().any(|known| known == what).then_some(found)
    })
    .await
}

fn detail(told: &Value, service: &str, check: &str) -> String {
    let findings = told.as_array().expect("a list of findings").iter();
    let mut of_it = findings.filter(|finding| finding["service"] == service && finding["check"] == check);
    of_it.next().and_then(|finding| finding["detail"].as_str()).unwrap_or_default().to_owned()
}

/// What an operator of processes apart has in the environment.
pub(crate) fn environment_of(cluster: &Cluster) -> Environment {
    let vhost = cluster.stage.vhost.as_ref().expect("a broker");
    let mut environment = cluster.certificate();
    environment.extend([
        ("QUENTY_BUS_URL".to_owned(), vhost.broker.amqp_url(&vhost.name)),
        ("QUENTY_PUBLIC_URL".to_owned(), cluster.stage.gateway.clone()),
    ]);
    for service in services() {
        let name = service.name.to_uppercase();
        environment.insert(format!("QUENTY_{name}_URL"), cluster.url(service.name));
        let database = cluster.stage.databases[service.name].clone();
        environment.insert(format!("QUENTY_{name}_DATABASE_URL"), database);
    }
    environment
}

#[tokio::test]
async fn databases_keep_their_roles_apart_and_their_journals_whole() {
    let up = Up::ephemeral(&[]).await;
    a_services_role_reaches_its_own_database_only(&up).await;
    the_application_role_may_only_add_to_the_journal(&up).await;
    every_foreign_key_has_an_index(&up).await;
    audit_verify_finds_a_changed_fact(&up).await;
    up.stop().await;
}

#[tokio::test]
async fn what_staff_read_of_people_is_shown_to_operators_and_auditors() {
    let up = Up::ephemeral(&[]).await;
    let admin = Person::administrator(&up.stage).await;
    for path in ["/api/v1/orders", "/api/v1/orders?limit=2", "/api/v1/users", "/api/v1/products"] {
        admin.client.get(path).await.expect(200);
    }
    let reads = async |more: &[&str]| {
        let (_, told) = run(&up, &[&["audit", "reads", "--actor", &admin.user_id], more].concat()).await;
        let read = |of: &Value| format!("{} {}", of["service"], of["operation"]).replace('"', "");
        (told.as_array().expect("a list").iter().map(read).collect::<Vec<_>>(), told)
    };
    let (read, told) = reads(&[]).await;
    assert_eq!(read, ["customer GET /api/v1/users", "order GET /api/v1/orders"]);
    assert_eq!(told[1]["address"], "127.0.0.1", "as the gateway says: {told:#}");
    assert_eq!(reads(&["--service", "order"]).await.0, ["order GET /api/v1/orders"]);
    assert_eq!(reads(&["--about", "/users"]).await.0, ["customer GET /api/v1/users"]);
    assert_eq!(reads(&["--to", "2026-01-01T00:00:00Z"]).await.0, [""; 0]);

    let trail = "/api/v1/admin/audit?service=order&type=quenty.access.read.v1";
    let trail = admin.client.get(trail).await.expect(200).json();
    assert_eq!(trail["items"][0]["actor"], format!("user:{}", admin.user_id), "{trail:#}");
    assert_eq!(trail["items"][0]["data"]["path"], "/api/v1/orders");
    up.stop().await;
}

async fn audit_verify_finds_a_changed_fact(up: &Up) {
    let (whole, told) = run(up, &["audit", "verify"]).await;
    assert!(whole, "{told:#}");
    assert!(
        told["auth"]["entries"].as_u64().expect("a count") > 0,
        "the administrator was created: {told:#}"
    );

    let mut owner = PgConnection::connect(&owner_url(up, "auth")).await.expect("the owner may connect");
    let changed = sqlx::query(
        "update quenty.journal set actor = 'system:planted' where seq = (select min(seq) from quenty.journal)",
    );
    assert_eq!(changed.execute(&mut owner).await.expect("the owner may do anything").rows_affected(), 1);
    let gone = sqlx::query(
        "delete from quenty.journal_personal where event_id = (select event_id from quenty.journal_personal limit 1)",
    );
    assert_eq!(gone.execute(&mut owner).await.expect("the owner may do anything").rows_affected(), 1);
    let (well, told) = run(up, &["doctor"]).await;
    assert!(well, "the chains are walked by who asks for it: {told:#}");
    assert_eq!(failing(&run(up, &["doctor", "--journal"]).await.1), ["auth: journal"]);
    let (whole, told) = run(up, &["audit", "verify"]).await;
    assert!(!whole);
    assert_eq!(told["auth"]["findings"].as_array().map(Vec::len), Some(2), "{told:#}");
    assert!(told["auth"]["findings"].to_string().contains("no erasure was recorded"), "{told:#}");
    assert_eq!(told["order"]["findings"].as_array().map(Vec::len), Some(0), "{told:#}");

    let signed = up.ready.data.join("audit").join("auth.checkpoints");
    assert_eq!(told["auth"]["checkpoints"]["findings"], json!([]), "{told:#}");
    assert!(told["auth"]["checkpoints"]["checkpoints"].as_u64() > Some(0), "{told:#}");
    std::fs::remove_file(&signed).expect("the first checkpoint was written at the start");
    let (whole, told) = run(up, &["audit", "verify"]).await;
    assert!(!whole);
    let lost = told["auth"]["checkpoints"]["findings"][0].as_str().expect("a finding");
    assert!(lost.contains("auth.checkpoints is missing"), "{lost}");
}

async fn a_services_role_reaches_its_own_database_only(up: &Up) {
    let databases: BTreeMap<_, _> = services().into_iter().map(|s| (s.name, s.database)).collect();
    for (own, own_database) in &databases {
        for database in databases.values().chain([&"postgres", &"template1"]) {
            let own_url = PgConnectOptions::from_str(&up.stage.databases[*own]).expect("a database URL");
            let refused = PgConnection::connect_with(&own_url.database(database)).await.err();
            let code = refused.as_ref().and_then(code_of);
            let expected = (database != own_database).then_some("42501");
            assert_eq!(code.as_deref(), expected, "{own} at {database}: {refused:?}");
        }
    }
}

async fn the_application_role_may_only_add_to_the_journal(up: &Up) {
    for service in services() {
        let pool = up.stage.pool(service.name);
        for forbidden in [
            "update quenty.journal set actor = actor",
            "delete from quenty.journal",
            "truncate quenty.journal cascade",
            "update quenty.journal_personal set data = data",
            "delete from quenty.journal_personal",
            "delete from quenty.stream_heads",
            "update quenty.migrations set success = success",
            "update public._sqlx_migrations set success = success",
            "drop table quenty.journal",
            "alter table quenty.journal add column planted text",
            "create table public.planted (id int)",
            "create schema planted",
        ] {
            let outcome = sqlx::raw_sql(forbidden).execute(&pool).await;
            let code = outcome.err().as_ref().and_then(code_of);
            assert_eq!(code.as_deref(), Some("42501"), "{}: {forbidden}", service.name);
        }
    }
}

/// Whose first columns are the key's; one of live rows will do, since nobody asks for the others by it.
async fn every_foreign_key_has_an_index(up: &Up) {
    for service in services() {
        let missing: Vec<String> = sqlx::query_scalar(
            "select conrelid::regclass || ': ' || conname from pg_constraint
             where contype = 'f' and not exists (
               select from pg_index where indrelid = conrelid
                 and (indkey::int2[])[0:cardinality(conkey) - 1] @> conkey and (indkey::int2[])[0:cardinality(conkey) - 1] <@ conkey)",
        )
        .fetch_all(&up.stage.pool(service.name))
        .await
        .expect("the catalogue can be read");
        assert_eq!(missing, Vec::<String>::new(), "{}", service.name);
    }
}

fn code_of(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(String::from)
}

pub(crate) fn owner_url(up: &Up, service: &str) -> String {
    let secrets = std::fs::read(up.ready.data.join("secrets.json")).expect("the platform's secrets");
    let secrets: Value = serde_json::from_slice(&secrets).expect("JSON");
    let app = &up.stage.databases[service];
    let (_, host) = app.split_once('@').expect("credentials");
    let (_, database) = app.rsplit_once('/').expect("a database");
    let database = database.split_once('?').map_or(database, |(name, _)| name);
    let password = secrets["databases"][database]["owner"].as_str().expect("the owner's password");
    format!("postgres://{}:{password}@{host}", owner_role(database))
}
