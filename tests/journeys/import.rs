//! Real orders: a shop's export goes in as it is, and the demo's people deliver all of it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use quenty_testkit::scratch_dir::ScratchDir;
use serde_json::{Value, json};

use crate::harness::{
    Up,
    process::Process,
    until,
    up::{environment, text},
};

/// Twelve calls an order, one after the other, on a busy machine.
const LIMIT: Duration = Duration::from_secs(600);

/// The sample that lies beside a checkout of the project; elsewhere there is none.
fn sample() -> Option<PathBuf> {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/orders/shopify-olist-sample.csv");
    let found = file.canonicalize().ok();
    if found.is_none() {
        eprintln!("\n*** SKIPPED: no real orders at {} ***\n", file.display());
    }
    found
}

/// Imports into the demo's merchant on the platform of `folder/data`, and reads the report.
async fn import(folder: &ScratchDir, file: &Path, more: &[&str]) -> Value {
    let (data, report) = (folder.path().join("data"), folder.path().join("report.json"));
    let arguments = [
        "import",
        "orders",
        text(file),
        "--demo-merchant",
        "--data",
        text(&data),
        "--ports",
        "free",
        "--json",
        text(&report),
    ];
    let process = Process::start(
        "import",
        &[&arguments, more].concat(),
        &environment(folder),
        &folder.path().join("import.log"),
    );
    let status = until(LIMIT, "the import ends", async || process.exit_status()).await;
    assert!(status.success(), "{status}\n{}", process.tail());
    serde_json::from_slice(&std::fs::read(report).expect("a report")).expect("JSON")
}

#[tokio::test]
async fn five_hundred_real_orders_go_in_once_and_reach_their_doors() {
    let Some(sample) = sample() else { return };
    let folder = ScratchDir::new("quenty-import").expect("a folder");
    let first = import(&folder, &sample, &["--deliver"]).await;
    assert_eq!(
        (&first["read"], &first["created"], &first["rejected"], &first["errors"]),
        (&json!(500), &json!(500), &json!(0), &json!([])),
        "{first:#}"
    );
    assert_eq!(
        (&first["assumed"]["international"], &first["assumed"]["payment_recorded"]),
        (&json!(500), &json!(500)),
        "{first:#}"
    );

    let again = import(&folder, &sample, &[]).await;
    let nothing =
        json!({"read": 500, "created": 0, "already_there": 500, "rejected": 0, "assumed": {}, "errors": []});
    assert_eq!(again, nothing);

    let up = Up::durable(folder).await;
    let orders: Vec<(String, String, i64)> =
        sqlx::query_as("select status, currency, count(*) from orders group by status, currency")
            .fetch_all(&up.stage.pool("order"))
            .await
            .expect("the orders");
    assert_eq!(orders, [("delivered".to_owned(), "BRL".to_owned(), 500)]);
    up.stage.assert_sound().await;
    up.stop().await;
}
