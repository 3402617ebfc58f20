//! A shop's export goes in as it is, and the demo's people deliver all of it: a small one that is made up, always,
//! and real ones where they lie, by targets of their own.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use quenty_testkit::scratch_dir::ScratchDir;
use serde_json::{Value, json};

use crate::harness::{
    Up, alone,
    process::Process,
    until,
    up::{environment, text},
};

/// Twelve calls an order, one after the other; on a busy machine that takes its time.
const LIMIT: Duration = Duration::from_secs(3600);

/// Forty-one orders, at home and abroad, in pesos and in dollars; #1018 does not add up.
fn made_up() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/journeys/fixtures/shopify-orders.csv")
}

/// The sample that lies beside a checkout of the project; elsewhere there is none.
fn sample() -> Option<PathBuf> {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/orders/shopify-olist-sample.csv");
    let found = file.canonicalize().ok();
    if found.is_none() {
        eprintln!("\n*** SKIPPED, NOTHING WAS TESTED: no real orders at {} ***\n", file.display());
    }
    found
}

/// Imports into the demo's merchant on the platform of that folder, and reads the report.
async fn import(folder: &ScratchDir, data: &Path, file: &Path, more: &[&str]) -> Value {
    let report = folder.path().join("report.json");
    let always =
        ["import", "orders", text(file), "--demo-merchant", "--data", text(data), "--json", text(&report)];
    let arguments = [&always[..], &["--ports", "free"][..], more].concat();
    let log = folder.path().join("import.log");
    let process = Process::start("import", &arguments, &environment(folder), &log);
    let status = until(LIMIT, "the import ends", async || process.exit_status()).await;
    assert!(status.success(), "{status}\n{}", process.tail());
    serde_json::from_slice(&std::fs::read(report).expect("a report")).expect("JSON")
}

#[tokio::test]
async fn a_shops_export_goes_in_once_but_for_its_bad_row_and_reaches_its_doors() {
    let _alone = alone().await;
    let folder = ScratchDir::new("quenty-import").expect("a folder");
    let data = folder.path().join("data");
    let first = import(&folder, &data, &made_up(), &["--deliver"]).await;
    let told = json!({
        "read": 41, "created": 40, "already_there": 0, "rejected": 1,
        "assumed": {"product_estimated": 10, "payment_recorded": 34, "taxes_included": 12, "international": 10,
            "sku_from_name": 9, "email_left_out": 1, "phone_left_out": 1, "stock_received": 40},
        "errors": [{"line": 36, "field": "Total", "code": "DOES_NOT_ADD_UP",
            "detail": "the file says 828000.01, its lines come to 983040.00"}],
    });
    assert_eq!(first, told, "{first:#}");

    let up = Up::durable(folder).await;
    let again = import(&up.folder, &data, &made_up(), &[]).await;
    assert_eq!(
        (&again["created"], &again["already_there"], &again["rejected"], &again["assumed"]),
        (&json!(0), &json!(40), &json!(1), &json!({})),
        "{again:#}"
    );
    assert_eq!(
        orders_by_status(&up).await,
        [("delivered".to_owned(), "COP".to_owned(), 30), ("delivered".to_owned(), "USD".to_owned(), 10)]
    );
    up.stage.assert_sound().await;
    up.stop().await;
}

async fn orders_by_status(up: &Up) -> Vec<(String, String, i64)> {
    let statement =
        "select status, currency, count(*) from orders group by status, currency order by status, currency";
    sqlx::query_as(statement).fetch_all(&up.stage.pool("order")).await.expect("the orders")
}

#[tokio::test]
#[ignore = "needs files beside the checkout, and takes minutes: make test-orders"]
async fn five_hundred_real_orders_go_in_once_and_reach_their_doors() {
    let Some(sample) = sample() else { return };
    let _alone = alone().await;
    let folder = ScratchDir::new("quenty-import").expect("a folder");
    let data = folder.path().join("data");
    let first = import(&folder, &data, &sample, &["--deliver"]).await;
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

    let again = import(&folder, &data, &sample, &[]).await;
    let nothing =
        json!({"read": 500, "created": 0, "already_there": 500, "rejected": 0, "assumed": {}, "errors": []});
    assert_eq!(again, nothing);

    let up = Up::durable(folder).await;
    assert_eq!(orders_by_status(&up).await, [("delivered".to_owned(), "BRL".to_owned(), 500)]);
    up.stage.assert_sound().await;
    up.stop().await;
}

/// As many orders like those of the sample, with names and numbers of their own.
fn write_more(sample: &Path, count: usize, into: &Path) {
    let mut reader = csv::Reader::from_path(sample).expect("the sample");
    let header = reader.headers().expect("a header").clone();
    let name = header.iter().position(|column| column == "Name").expect("a name");
    let email = header.iter().position(|column| column == "Email").expect("an e-mail address");
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("the sample is CSV");
    let mut orders: Vec<&[csv::StringRecord]> = Vec::new();
    orders.extend(rows.chunk_by(|one, next| one[name] == next[name]));
    let mut writer = csv::Writer::from_path(into).expect("a file");
    writer.write_record(&header).expect("a row");
    for (number, rows) in orders.iter().cycle().take(count).enumerate() {
        let round = number / orders.len();
        for row in *rows {
            let cells = row.iter().enumerate().map(|(column, cell)| match column {
                _ if column == name => format!("{cell}-{round}"),
                _ if column == email => format!("{round}.{cell}"),
                _ => cell.to_owned(),
            });
            writer.write_record(cells).expect("a row");
        }
    }
    writer.flush().expect("written");
}

/// The most memory that the process has ever had, in MiB.
fn peak_memory(up: &Up) -> u64 {
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", up.process.pid())).expect("a live process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().expect("a number") >> 10
}

/// A file that is ten times as long must not need ten times the memory.
#[tokio::test]
#[ignore = "eleven thousand orders take minutes: make test-large"]
async fn ten_thousand_orders_take_the_memory_of_a_thousand() {
    let Some(sample) = sample() else { return };
    let _alone = alone().await;
    let up = Up::ephemeral(&[]).await;
    let mut peaks = Vec::new();
    for count in [1_000, 10_000] {
        let file = up.folder.path().join(format!("{count}.csv"));
        write_more(&sample, count, &file);
        let report = import(&up.folder, &up.ready.data, &file, &[]).await;
        assert_eq!((&report["read"], &report["rejected"]), (&json!(count), &json!(0)), "{report:#}");
        peaks.push(peak_memory(&up));
        println!("{count} orders: the platform has had {} MiB at most", peaks[peaks.len() - 1]);
    }
    assert!(peaks[1] - peaks[0] < 64, "from {} to {} MiB", peaks[0], peaks[1]);
    up.stage.assert_sound().await;
    up.stop().await;
}
