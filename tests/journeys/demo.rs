//! `quenty demo`: the same week from the same seed, wherever it is played and however often it is broken off.

use std::{path::Path, time::Duration};

use nix::sys::signal::Signal;
use quenty_testkit::scratch_dir::ScratchDir;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::{
    harness::{
        Environment, Up,
        process::{self, Process},
        until,
        up::{environment, text},
    },
    operators::owner_url,
};

/// A small week; on a busy machine it takes its time.
const LIMIT: Duration = Duration::from_secs(200);

/// Plays to the end; whether it ended well, and the JSON.
async fn play(folder: &ScratchDir, environment: &Environment, more: &[&str]) -> (bool, Value) {
    let json = folder.path().join("demo.json");
    drop(std::fs::remove_file(&json));
    let arguments = [&["demo", "--orders", "12", "--seed", "3", "--json", text(&json)], more].concat();
    let process = Process::start("demo", &arguments, environment, &folder.path().join("demo.log"));
    let status = until(LIMIT, "the demo ends", async || process.exit_status()).await;
    let told = std::fs::read(&json).unwrap_or_else(|error| panic!("{error}\n{}", process.tail()));
    (status.success(), serde_json::from_slice(&told).expect("JSON"))
}

/// What the seed decides.
fn outcome(told: &Value) -> Value {
    let asked = json!({"asked": told["returns"]["asked"], "reasons": told["returns"]["by_reason"]});
    json!({"orders": told["orders"], "international": told["international"], "money": told["money"], "returns": asked})
}

fn assert_is_told_as_promised(told: &Value) {
    let proofs = json!({"stock": "ok", "journal": "ok", "audit": "ok", "sagas": "ok"});
    assert_eq!(told["proofs"], proofs);
    assert_eq!((&told["orders"]["placed"], &told["events"]["dead"]), (&json!(12), &json!(0)));
    for count in [
        &told["orders"]["delivered"],
        &told["orders"]["cancelled"],
        &told["events"]["published"],
        &told["events"]["consumed"],
    ] {
        assert!(count.as_u64() > Some(0), "{told:#}");
    }
    assert!(told["international"].as_u64() > Some(0), "{told:#}");
    assert_returns(&told["returns"]);
    assert!(told["on_time_share"].is_f64() && told["median_order_to_door_hours"].is_f64(), "{told:#}");
}

/// Goods came back, were looked at, paid for and put to use; one of them is followed from the order to the refund.
fn assert_returns(told: &Value) {
    for count in
        [&told["by_status"]["closed"], &told["exchanged"], &told["disputed"], &told["by_reason"]["defective"]]
    {
        assert!(count.as_u64() > Some(0), "{told:#}");
    }
    let asked: u64 =
        told["by_status"].as_object().expect("statuses").values().filter_map(Value::as_u64).sum();
    assert_eq!(told["asked"], asked);
    let above_zero =
        |amount: &Value| amount.as_str().and_then(|text| text.parse::<f64>().ok()).is_some_and(|of| of > 0.0);
    assert!(above_zero(&told["refunds"]["COP"]), "{told:#}");
    let recovery = &told["recovery"]["COP"];
    assert!(above_zero(&recovery["estimated"]) && above_zero(&recovery["realised"]), "{told:#}");
    for kilograms in ["waste_diverted_kg", "return_leg_kg_co2e", "avoided_kg_co2e"] {
        assert!(told[kilograms].as_f64() > Some(0.0), "{kilograms}: {told:#}");
    }
    let timeline = told["timeline"].as_array().expect("a timeline");
    let whats: Vec<&str> = timeline.iter().filter_map(|of| of["what"].as_str()).collect();
    let place =
        |what: &str| whats.iter().position(|of| *of == what).unwrap_or_else(|| panic!("{what}: {whats:?}"));
    let way = ["placed", "delivered", "requested", "received", "inspected", "refunded"].map(place);
    assert!(way.is_sorted(), "{whats:?}");
    let times: Vec<jiff::Timestamp> =
        timeline.iter().filter_map(|of| of["at"].as_str()?.parse().ok()).collect();
    assert!(times.len() == timeline.len() && times.is_sorted(), "{times:?}");
}

/// Ctrl-C once some of the orders are there, and not all.
async fn break_off(folder: &ScratchDir, arguments: &[&str], environment: &Environment, data: &Path) {
    let arguments = [&["demo", "--orders", "12", "--seed", "3"], arguments].concat();
    let log = folder.path().join("broken-off.log");
    let process = Process::start("demo", &arguments, environment, &log);
    until(LIMIT, "the week is under way", async || {
        assert!(process.exit_status().is_none(), "too late\n{}", process.tail());
        (orders(data).await? >= 3).then_some(())
    })
    .await;
    process.signal(Signal::SIGINT);
    assert!(!process.ended().await.success(), "{}", process.tail());
    assert!(process.log().contains("broken off"), "{}", process.tail());
}

async fn orders(data: &Path) -> Option<i64> {
    let urls: Value = serde_json::from_slice(&std::fs::read(data.join("databases.json")).ok()?).ok()?;
    let mut connection = PgConnection::connect(urls["order"].as_str()?).await.ok()?;
    sqlx::query_scalar("select count(*) from orders").fetch_one(&mut connection).await.ok()
}

#[tokio::test]
async fn a_week_ends_as_its_seed_says_wherever_it_is_played_and_however_often_it_is_broken_off() {
    let up = Up::ephemeral(&[]).await;
    let whole = on_a_platform_that_runs(&up).await;
    up.stop().await;

    let folder = ScratchDir::new("quenty-demo").expect("a folder");
    let data = folder.path().join("data");
    let own = ["--exit", "--ports", "free", "--data", text(&data), "--admin-email", "jefa@quenty.example"];
    let mut given = environment(&folder);
    given.insert("QUENTY_ADMIN_PASSWORD".to_owned(), "correct-horse-battery-staple-9".to_owned());
    break_off(&folder, &own, &given, &data).await;
    let (well, resumed) = play(&folder, &given, &own).await;
    assert!(well, "{resumed:#}");
    assert_is_told_as_promised(&resumed);
    assert_eq!(outcome(&resumed), outcome(&whole));
    let time = std::fs::read_to_string(data.join("simulated-time")).expect("a simulation");
    assert_eq!(time, "present", "business time goes on by itself from here");
}

/// In real time, seen from inside and from outside, and with a proof that fails.
async fn on_a_platform_that_runs(up: &Up) -> Value {
    let (url, data) = (up.ready.gateway.clone(), text(&up.ready.data).to_owned());
    let empty = Environment::new();
    let (well, told) = play(&up.folder, &empty, &["--url", &url, "--data", &data]).await;
    assert!(well, "{told:#}");
    assert_is_told_as_promised(&told);
    assert_eq!(told["simulated_clock"], false);
    up.stage.assert_sound().await;

    let password = up.ready.data.join("admin.password");
    let mails = up.ready.data.join("mail");
    let given = [
        "--admin-email",
        "admin@quenty.local",
        "--admin-password-file",
        text(&password),
        "--mail-dir",
        text(&mails),
    ];
    let (well, blind) = play(&up.folder, &empty, &[&["--url", &url], &given[..]].concat()).await;
    assert!(well, "{blind:#}");
    assert_eq!(outcome(&blind), outcome(&told), "what was played is not played again");
    assert_eq!((&blind["proofs"], &blind["events"]), (&Value::Null, &Value::Null), "not seen is not zero");

    let mut owner = PgConnection::connect(&owner_url(up, "order")).await.expect("the owner may connect");
    let planted = sqlx::query("update stock_items set on_hand = on_hand + 1").execute(&mut owner).await;
    assert!(planted.expect("the owner may do anything").rows_affected() > 0);
    let (well, broken) = play(&up.folder, &empty, &["--url", &url, "--data", &data]).await;
    assert!(!well, "a proof that fails is a failure");
    assert_ne!(broken["proofs"]["stock"], "ok");
    assert_eq!(broken["proofs"]["journal"], "ok");
    told
}

#[tokio::test]
async fn without_a_way_to_the_administrator_it_says_what_to_give() {
    let output = process::run(&["demo", "--url", "http://127.0.0.1:1"], &Environment::new()).await;
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("--admin-password-file") && said.contains("--data"), "{said}");
}
