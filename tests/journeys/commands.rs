//! The commands for every day, as an operator types them: dead letters, mails, replays, the configuration, imports.

use std::{process::Output, time::Duration};

use quenty_kernel::id::new_uuid;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::{
    harness::{
        Cast, Cluster, Environment, Person, Up, cluster::Own, people::PASSWORD, process, services, until,
        up::text,
    },
    operators::environment_of,
};

const LIMIT: Duration = Duration::from_secs(60);
const SHOPIFY: &str = "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Currency,Subtotal,Shipping,Taxes,Total,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Lineitem requires shipping,Shipping Name,Shipping Address1,Shipping City,Shipping Zip,Shipping Province,Shipping Country,Shipping Phone,Notes,Cancelled at,Payment Method,Id
#1001,luz@example.com,paid,,,,COP,90000.00,0.00,0.00,90000.00,2026-01-09 21:57:05 -0500,2,Ruana,45000.00,RUANA-1,true,Luz Marín,\"Carrera 43A # 1-50\",Medellín,050021,ANT,CO,+573001234567,,,PSE,1
#1002,ana@example.com,paid,,,,COP,45000.00,0.00,0.00,99999.00,2026-01-09 22:57:05 -0500,1,Ruana,45000.00,RUANA-1,true,Ana Gómez,\"Calle 10 # 1-50\",Cali,760042,VAC,CO,+573001234568,,,PSE,2
";

async fn run(arguments: &[&str]) -> Output {
    process::run(arguments, &Environment::new()).await
}

fn said(output: &Output) -> String {
    let texts = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    texts.concat()
}

#[tokio::test]
async fn a_dead_letter_is_shown_replayed_and_discarded_in_every_service_that_has_it() {
    let up = Up::ephemeral(&[]).await;
    let data = text(&up.ready.data).to_owned();
    let none = run(&["dead-letters", "--data", &data]).await;
    assert!(none.status.success() && said(&none).contains("no dead letters"), "{}", said(&none));
    let (first, second) = (new_uuid(), new_uuid());
    for (service, id) in [("order", first), ("shipping", first), ("shipping", second)] {
        plant_dead_letter(&up, service, id).await;
    }
    let listed = run(&["dead-letters", "--data", &data, "list"]).await;
    assert_eq!(said(&listed).lines().count(), 3, "{}", said(&listed));

    let id = first.to_string();
    let shown = run(&["dead-letters", "--data", &data, "show", &id]).await;
    assert!(shown.status.success());
    let letters: Vec<Value> = serde_json::Deserializer::from_slice(&shown.stdout)
        .into_iter()
        .collect::<Result<_, _>>()
        .expect("JSON");
    let known: Vec<_> = letters.iter().map(|letter| (&letter["service"], &letter["error"])).collect();
    let planted = json!("planted");
    assert_eq!(known, [(&json!("order"), &planted), (&json!("shipping"), &planted)]);

    let replayed = run(&["dead-letters", "--data", &data, "--service", "order", "replay", &id]).await;
    assert!(replayed.status.success(), "{}", said(&replayed));
    until(LIMIT, "it is tried again, and fails for a reason of its own", async || {
        (inbox(&up, "order", "error", first).await != "planted").then_some(())
    })
    .await;
    assert_eq!(inbox(&up, "shipping", "status", first).await, "dead", "--service chooses");
    let discarded = run(&["dead-letters", "--data", &data, "discard", &id]).await;
    assert!(discarded.status.success(), "{}", said(&discarded));
    assert_eq!(inbox(&up, "shipping", "status", first).await, "discarded");
    assert_eq!(inbox(&up, "shipping", "status", second).await, "dead");

    let gone = run(&["dead-letters", "--data", &data, "discard", &id]).await;
    assert!(!gone.status.success() && said(&gone).contains("dead-letters --data"), "{}", said(&gone));
    up.stop().await;
}

/// An event that says nothing, so that no reaction can make sense of it.
async fn plant_dead_letter(up: &Up, service: &str, id: uuid::Uuid) {
    let envelope = json!({
        "specversion": "1.0", "id": id, "source": "/quenty/pickup", "type": "quenty.pickup.pickup.completed.v1", "subject": format!("ORD-{id}"),
        "time": "2026-01-05T12:00:00Z", "dataschema": "/schemas/planted.json", "datacontenttype": "application/json", "actor": "system",
        "correlation_id": id, "stream_version": 1, "data": {},
    });
    let statement = "insert into quenty.inbox (event_id, publisher, type, stream, stream_version, status, attempts, error, envelope, received_at, updated_at)
         values ($1, 'pickup', 'quenty.pickup.pickup.completed.v1', $2, 1, 'dead', 8, 'planted', $3, now(), now())";
    let query = sqlx::query(statement).bind(id).bind(format!("ORD-{id}")).bind(envelope);
    query.execute(&up.stage.pool(service)).await.expect("a dead letter");
}

async fn inbox(up: &Up, service: &str, column: &str, id: uuid::Uuid) -> String {
    let statement = format!("select coalesce({column}, '') from quenty.inbox where event_id = $1");
    let query = sqlx::query_scalar(AssertSqlSafe(statement)).bind(id);
    query.fetch_one(&up.stage.pool(service)).await.expect("it is known")
}

#[tokio::test]
async fn mails_are_listed_by_address() {
    let up = Up::ephemeral(&[]).await;
    let data = text(&up.ready.data).to_owned();
    let admin = Person::administrator(&up.stage).await;
    for email in ["ines@quenty.example", "otra@quenty.example"] {
        admin.invite("support", email).await.accept(&up.stage).await;
    }
    let listed = run(&["mail", "--data", &data, "--to", "Ines@quenty.example", "--json"]).await;
    let lines = String::from_utf8(listed.stdout).expect("UTF-8");
    let mails: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(mails.iter().all(|mail| mail["to"] == "ines@quenty.example"), "{mails:#?}");
    assert!(mails[0]["link"].as_str().expect("a link").contains("token="));
    let all = run(&["mail", "--data", &data]).await;
    assert!(said(&all).contains("otra@quenty.example"), "{}", said(&all));
    up.stop().await;

    let nowhere = run(&["mail", "--data", "/nonexistent"]).await;
    assert!(!nowhere.status.success());
    assert!(
        said(&nowhere).contains("--data") && said(&nowhere).contains("/nonexistent"),
        "{}",
        said(&nowhere)
    );
}

#[tokio::test]
async fn a_service_that_was_born_later_is_fed_by_a_replay_and_only_once() {
    let cluster = Cluster::start_with(Own::default()).await;
    let Cast { merchant, .. } = Cast::enter(&cluster.stage).await;
    let order = cluster.stage.pool("order");
    for forgotten in ["delete from quenty.inbox where publisher = 'customer'", "delete from standings"] {
        let gone = sqlx::query(forgotten).execute(&order).await.expect("it can be forgotten");
        assert!(gone.rows_affected() > 0, "{forgotten}");
    }
    let environment = environment_of(&cluster);
    let replay = ["replay", "--to", "order", "--since", "2020-01-01T00:00:00Z"];
    let replayed = process::run(&replay, &environment).await;
    assert!(replayed.status.success(), "{}", said(&replayed));
    until(LIMIT, "the standing is known again", async || {
        let known: i64 =
            sqlx::query_scalar("select count(*) from standings").fetch_one(&order).await.expect("a count");
        (known > 0).then_some(())
    })
    .await;
    merchant.place(&merchant.cash_order()).await;
    let again = said(&process::run(&replay, &environment).await);
    assert!(again.contains("customer   0 facts"), "what was heard is not sent again: {again}");
    cluster.stop().await;
}

#[tokio::test]
async fn config_check_finds_what_cannot_work_and_shows_no_secret() {
    let well = run(&["config", "check", "gateway"]).await;
    assert!(well.status.success(), "{}", said(&well));
    let environment: Environment = [
        ("QUENTY_PORT", "eighty"),
        ("QUENTY_BUS_URL", "amqp://user:hush@broker/vhost"),
        ("QUENTY_ORDER_DATABASE_URL", "postgres://order_app:hush@db/order_db"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let checked = process::run(&["config", "check", "order", "--json"], &environment).await;
    assert!(!checked.status.success());
    assert!(!said(&checked).contains("hush"), "{}", said(&checked));
    let told: Value = serde_json::from_slice(&checked.stdout).expect("JSON");
    let flaws: Vec<_> = told["flaws"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert!(
        matches!(flaws[..], [port, secret] if port.starts_with("QUENTY_PORT") && secret.starts_with("QUENTY_CLIENT_SECRET")),
        "{flaws:#?}"
    );
    for service in services() {
        assert!(
            !run(&["config", "check", service.name]).await.status.success(),
            "{} needs more",
            service.name
        );
    }
    let unknown =
        process::run(&["config", "check"], &[("QUENTY_PROT".to_owned(), "1".to_owned())].into()).await;
    assert!(!unknown.status.success() && said(&unknown).contains("QUENTY_PROT"), "{}", said(&unknown));
}

#[tokio::test]
async fn a_merchant_imports_their_own_orders_after_a_dry_run() {
    let up = Up::ephemeral(&[]).await;
    Cast::enter(&up.stage).await;
    let path = |name: &str| text(&up.folder.path().join(name)).to_owned();
    let (file, password, report) = (path("orders.csv"), path("password"), path("report.json"));
    std::fs::write(&file, SHOPIFY).expect("a file");
    std::fs::write(&password, PASSWORD).expect("a file");
    let data = text(&up.ready.data).to_owned();
    let whose = ["--email", "owner1@tienda.example", "--password-file", &password, "--data", &data];
    let import = [&["import", "orders", &file, "--json", &report, "--stock", "assume"], &whose[..]].concat();
    let counts = |output: &Output| -> Value {
        assert!(output.status.success(), "{}", said(output));
        let told: Value = serde_json::from_slice(&std::fs::read(&report).expect("a report")).expect("JSON");
        json!([told["read"], told["created"], told["already_there"], told["rejected"]])
    };
    let orders = async || -> i64 {
        let count = sqlx::query_scalar("select count(*) from orders");
        count.fetch_one(&up.stage.pool("order")).await.expect("a count")
    };
    assert_eq!(counts(&run(&[&import[..], &["--dry-run"]].concat()).await), json!([2, 1, 0, 1]));
    assert_eq!(orders().await, 0, "a dry run changes nothing");
    assert_eq!(counts(&run(&import).await), json!([2, 1, 0, 1]));
    assert_eq!(orders().await, 1);
    assert_eq!(counts(&run(&import).await), json!([2, 0, 1, 1]), "the same file again changes nothing");
    up.stage.assert_sound().await;
    let _folder = up.stop().await;

    let stopped = run(&import).await;
    assert!(!stopped.status.success() && said(&stopped).contains("does not run"), "{}", said(&stopped));
}
