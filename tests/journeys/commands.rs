//! The commands for every day, as an operator types them: dead letters, mails, replays, the configuration, imports.

use std::{process::Output, time::Duration};

use http::Method;
use jiff::SignedDuration;
use nix::sys::signal::Signal;
use quenty_kernel::{
    clock::wall_now,
    id::{MemberId, TypedId, new_uuid},
};
use quenty_platform::{db, operate};
use quenty_testkit::scratch_dir::ScratchDir;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::{
    harness::{
        Cast, Cluster, Environment, Person, Up,
        cluster::Own,
        merchant::id,
        people::PASSWORD,
        process::{self, Process},
        services, until,
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

#[tokio::test]
async fn all_dead_letters_of_a_kind_are_replayed_at_once_and_a_long_list_says_how_many_more_there_are() {
    let up = Up::ephemeral(&[]).await;
    let data = text(&up.ready.data).to_owned();
    let event = new_uuid();
    plant_dead_letter(&up, "order", event).await;
    let order = up.stage.pool("order");
    // Nobody has a worker for them, so that they stay as they are put back.
    for (kind, count) in [("planted_mail", 1_001), ("planted_order", 2)] {
        let statement = "insert into quenty.tasks (id, kind, key, payload, status, run_at, attempts, error, correlation_id, created_at, updated_at)
             select gen_random_uuid(), $1, n::text, '{}', 'dead', now(), 8, 'planted', gen_random_uuid(), now(), now()
             from generate_series(1, $2) n";
        let planted = sqlx::query(statement).bind(kind).bind(count).execute(&order).await;
        planted.expect("dead letters");
    }
    let dead = async |kind: &str| -> i64 {
        let count =
            sqlx::query_scalar("select count(*) from quenty.tasks where kind = $1 and status = 'dead'");
        count.bind(kind).fetch_one(&order).await.expect("a count")
    };
    let letters = async |more: &[&str]| run(&[&["dead-letters", "--data", &data], more].concat()).await;
    let listed = letters(&["list"]).await;
    assert!(said(&listed).ends_with("order      and 3 more\n"), "{}", said(&listed));

    assert!(!letters(&["replay"]).await.status.success(), "which, it has to be told");
    let replayed = letters(&["replay", "--all", "--kind", "planted_mail"]).await;
    assert!(said(&replayed).contains("order      1001 are tried again"), "{}", said(&replayed));
    assert_eq!((dead("planted_mail").await, dead("planted_order").await), (0, 2));
    assert_eq!(inbox(&up, "order", "status", event).await, "dead");
    assert!(letters(&["--service", "shipping", "replay", "--all"]).await.status.success());
    assert_eq!(dead("planted_order").await, 2, "--service chooses");
    assert!(letters(&["replay", "--all"]).await.status.success());
    assert_eq!(dead("planted_order").await, 0);
    until(LIMIT, "the event is tried again, and fails for a reason of its own", async || {
        (inbox(&up, "order", "error", event).await != "planted").then_some(())
    })
    .await;
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
async fn a_service_that_does_not_run_is_fed_by_a_replay_in_order_and_only_once() {
    let mut cluster = Cluster::start_with(Own::default()).await;
    let Cast { merchant, .. } = Cast::enter(&cluster.stage).await;
    let order = cluster.stage.pool("order");
    let environment = environment_of(&cluster);
    let lately = (wall_now() - SignedDuration::from_hours(1)).to_string();
    let replay_lately = ["replay", "--to", "order", "--since", &lately];
    let refused = process::run(&replay_lately, &environment).await;
    assert!(!refused.status.success() && said(&refused).contains("order runs"), "{}", said(&refused));
    cluster.kill("order").await;

    let forgotten = "delete from quenty.inbox i where publisher = 'customer' and stream_version <
         (select max(stream_version) from quenty.inbox newest where newest.publisher = i.publisher and newest.stream = i.stream)";
    let gone = sqlx::query(forgotten).execute(&order).await.expect("it can be forgotten").rows_affected();
    assert!(gone > 0, "a company is registered before it is approved");
    let left_out = until(LIMIT, "PostgreSQL knows that order has ended", async || {
        let asked = process::run(&replay_lately, &environment).await;
        (!said(&asked).contains("order runs")).then_some(asked)
    })
    .await;
    assert!(!left_out.status.success(), "{}", said(&left_out));
    for told in ["customer   0 facts wait for order".to_owned(), format!("{gone} facts were left out")] {
        assert!(said(&left_out).contains(&told), "{told}: {}", said(&left_out));
    }

    // A replay under way waits for the inbox, and then there is a process.
    let mut held = order.begin().await.expect("a transaction");
    let lock = "lock table quenty.inbox in access exclusive mode";
    sqlx::query(lock).execute(&mut *held).await.expect("a lock");
    let meanwhile = async {
        let waits =
            "select exists (select from pg_locks where relation = 'quenty.inbox'::regclass and not granted
             and database = (select oid from pg_database where datname = current_database()))";
        until(LIMIT, "the replay waits", async || {
            sqlx::query_scalar::<_, bool>(waits).fetch_one(&order).await.expect("the locks").then_some(())
        })
        .await;
        let url = &cluster.stage.databases["order"];
        let process = db::pool(url, "order", db::Plans::Custom, 1).expect("a URL");
        drop(process.acquire().await.expect("a connection"));
        held.commit().await.expect("the lock is given back");
        process
    };
    let (refused, process_of_order) = tokio::join!(process::run(&replay_lately, &environment), meanwhile);
    assert!(!refused.status.success() && said(&refused).contains("order runs"), "{}", said(&refused));
    process_of_order.close().await;
    until(LIMIT, "PostgreSQL knows that it has ended", async || {
        let is_served = operate::is_served(&order, "order").await.expect("the connections");
        (!is_served).then_some(())
    })
    .await;

    for forgotten in ["delete from quenty.inbox where publisher = 'customer'", "delete from standings"] {
        let gone = sqlx::query(forgotten).execute(&order).await.expect("it can be forgotten");
        assert!(gone.rows_affected() > 0, "{forgotten}");
    }
    let replay = ["replay", "--to", "order", "--since", "2020-01-01T00:00:00Z"];
    let replayed = process::run(&replay, &environment).await;
    assert!(replayed.status.success(), "{}", said(&replayed));
    cluster.launch("order");
    cluster.is_ready().await;
    until(LIMIT, "the standing is known again", async || {
        let known: i64 =
            sqlx::query_scalar("select count(*) from standings").fetch_one(&order).await.expect("a count");
        (known > 0).then_some(())
    })
    .await;
    merchant.place(&merchant.cash_order()).await;
    let again = said(&process::run(&[&replay[..], &["--out-of-order"]].concat(), &environment).await);
    assert!(again.contains("customer   0 facts"), "what was heard is not given again: {again}");
    cluster.stage.assert_sound().await;
    cluster.stop().await;
}

#[tokio::test]
async fn after_a_restore_a_replay_leads_to_what_was_true_last() {
    let up = Up::durable(ScratchDir::new("quenty-replay").expect("a folder")).await;
    let Cast { merchant, .. } = Cast::enter(&up.stage).await;
    let eva = Person::register(&up.stage, "eva@tienda.example").await;
    up.stage.settle().await;
    let members = format!("/api/v1/companies/{}/members", merchant.company);
    let wanted = json!({"email": "eva@tienda.example", "role": "viewer", "given_name": "Eva", "family_name": "Ruiz", "language": "es-CO"});
    let member = id(&merchant.client.post(&members, &wanted).await.expect(201).json()).to_owned();
    let accept = format!("/api/v1/invitations/{member}/accept");
    eva.client.post(&accept, &json!({})).await.expect(200);
    let removed = merchant.client.call(Method::DELETE, &format!("{members}/{member}")).send().await;
    removed.expect(204);
    up.stage.settle().await;

    // The backup is of before all that.
    let auth = up.stage.pool("auth");
    let membership = TypedId::uuid(member.parse::<MemberId>().expect("a member's id"));
    let gone = sqlx::query("delete from quenty.inbox where stream = $1").bind(&member).execute(&auth).await;
    assert_eq!(gone.expect("it can be forgotten").rows_affected(), 2, "added and removed");
    let gone =
        sqlx::query("delete from memberships where member_id = $1").bind(membership).execute(&auth).await;
    assert_eq!(gone.expect("it can be forgotten").rows_affected(), 1);

    let data = text(&up.ready.data).to_owned();
    let lately = (wall_now() - SignedDuration::from_hours(1)).to_string();
    let replay = ["replay", "--to", "auth", "--since", &lately, "--data", &data];
    let refused = run(&replay).await;
    assert!(!refused.status.success() && said(&refused).contains("auth runs"), "{}", said(&refused));
    let folder = up.stop().await;
    let replayed = run(&replay).await;
    assert!(replayed.status.success(), "{}", said(&replayed));
    assert!(said(&replayed).contains("customer   2 facts wait for auth"), "{}", said(&replayed));

    let up = Up::durable(folder).await;
    let auth = up.stage.pool("auth");
    until(LIMIT, "Auth has taken both in", async || {
        let done = "select count(*) from quenty.inbox where stream = $1 and status = 'done'";
        let done: i64 = sqlx::query_scalar(done).bind(&member).fetch_one(&auth).await.expect("a count");
        (done == 2).then_some(())
    })
    .await;
    let removed = sqlx::query_scalar::<_, bool>("select removed from memberships where member_id = $1")
        .bind(membership);
    assert!(removed.fetch_one(&auth).await.expect("a member of before"), "who was removed is not back");
    up.stage.assert_sound().await;
    up.stop().await;
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
    assert!(said(&unknown).contains("database_connections"), "the known ones: {}", said(&unknown));
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
    let nowhere = ["import", "orders", &file, "--json", "/nonexistent/report.json", "--dry-run"];
    let told = run(&[&nowhere[..], &whose[..]].concat()).await;
    assert!(!told.status.success() && said(&told).contains("2 read"), "{}", said(&told));
    assert_eq!(counts(&run(&import).await), json!([2, 1, 0, 1]));
    assert_eq!(orders().await, 1);
    assert_eq!(counts(&run(&import).await), json!([2, 0, 1, 1]), "the same file again changes nothing");
    who_breaks_off_is_told_that_the_import_goes_on(&up, &whose).await;
    up.stage.assert_sound().await;
    let _folder = up.stop().await;

    let stopped = run(&import).await;
    assert!(!stopped.status.success() && said(&stopped).contains("does not run"), "{}", said(&stopped));
}

async fn who_breaks_off_is_told_that_the_import_goes_on(up: &Up, whose: &[&str]) {
    let (file, log) = (up.folder.path().join("many.csv"), up.folder.path().join("import.log"));
    let (header, two) = SHOPIFY.split_once('\n').expect("a header");
    let many: String = (0..150).map(|number| two.replace("#100", &format!("#{number}-"))).collect();
    std::fs::write(&file, format!("{header}\n{many}")).expect("a file");
    let import = [&["import", "orders", text(&file), "--dry-run"], whose].concat();
    let process = Process::start("import", &import, &Environment::new(), &log);
    until(LIMIT, "the platform has the file", async || {
        process.log().contains("GET /api/v1/imports/").then_some(())
    })
    .await;
    process.signal(Signal::SIGINT);
    assert!(!process.ended().await.success(), "{}", process.tail());
    assert!(process.log().contains("the platform goes on with an import"), "{}", process.tail());
    let order = up.stage.pool("order");
    until(LIMIT, "it goes on to its end", async || {
        let last = "select status || ' ' || processed from imports order by created_at desc limit 1";
        let last: String = sqlx::query_scalar(last).fetch_one(&order).await.expect("an import");
        (last == "done 300").then_some(())
    })
    .await;
}
