//! What a collector of traces sees, and that nobody waits for one that hangs.

use std::time::{Duration, Instant};

use quenty_kernel::id::CompanyId;
use quenty_platform::{
    otlp::Traces,
    settings::{CHASSIS, Settings},
    span::{Span, SpanKind},
    telemetry,
    token::Realm,
};
use quenty_testkit::{
    TestApp,
    collector::{Collector, Seen},
    eventually,
};
use serde_json::json;

use crate::probe::{Tries, start};

const PARENT: &str = "00f067aa0ba902b7";

async fn count(app: &TestApp, trace: &str, flags: &str, how: &str) -> u16 {
    let token = app.token(Realm::Company, Some(CompanyId::new()), &["things:count"]);
    let call =
        app.post("/api/v1/things?who=hush@quenty.example").token(&token).json(&json!({"n": 7, "how": how}));
    call.header("traceparent", &format!("00-{trace}-{PARENT}-{flags}")).send().await.status()
}

async fn until_seen(collector: &Collector, trace: &str) -> Vec<Seen> {
    eventually("the trace is seen", || async {
        let seen: Vec<_> = collector.seen().await.into_iter().filter(|span| span.trace == trace).collect();
        (!seen.is_empty()).then_some(seen)
    })
    .await
}

/// The export is one for the whole process: so this is one test.
#[tokio::test]
async fn a_collector_sees_what_is_sampled_and_nobody_waits_for_one_that_hangs() {
    telemetry::start("off");
    let collector = Collector::start().await;
    let settings = Settings::load(&[CHASSIS], None, std::iter::empty()).expect("defaults");
    let settings = settings.with("otlp_endpoint", &collector.url).with("otlp_sample_ratio", "0");
    let traces = Traces::start(&settings).expect("the export starts");
    let app = start(&Tries::default()).await;

    let [ours, unsampled, failed] = ["1", "2", "3"].map(|digit| digit.repeat(32));
    assert_eq!(count(&app, &unsampled, "00", "").await, 204);
    assert_eq!(count(&app, &ours, "01", "").await, 204);
    let seen = until_seen(&collector, &ours).await;
    let [request] = seen.as_slice() else { panic!("one span: {seen:#?}") };
    assert_eq!((request.service.as_str(), request.name.as_str()), ("probe", "POST /api/v1/things"));
    assert_eq!((request.parent.as_str(), request.kind), (PARENT, SpanKind::Server as i32));
    assert!(!request.failed);
    // All of them: nothing that somebody wrote goes out.
    let attributes: Vec<_> = request.attributes.iter().map(|(key, value)| (&**key, &**value)).collect();
    assert_eq!(
        attributes,
        [
            ("http.request.method", "POST"),
            ("http.response.status_code", "204"),
            ("http.route", "/api/v1/things")
        ]
    );

    assert_eq!(count(&app, &failed, "01", "panics").await, 500);
    let seen = until_seen(&collector, &failed).await;
    assert!(seen[0].failed, "{seen:#?}");
    assert_eq!(seen[0].attributes["error.type"], "500");
    // Sent before those that have come: whoever asked for no trace, and jobs at a ratio of nothing, are not seen.
    let others = |span: &Seen| span.trace != ours && span.trace != failed;
    let seen = collector.seen().await;
    assert!(!seen.iter().any(others), "{seen:#?}");

    collector.hang();
    let begun = Instant::now();
    for _ in 0..20_000 {
        drop(Span::begin("probe", SpanKind::Internal, Some(&format!("00-{ours}-{PARENT}-01"))));
    }
    assert_eq!(count(&app, &ours, "01", "").await, 204);
    assert!(begun.elapsed() < Duration::from_secs(5), "it waited: {:?}", begun.elapsed());
    let metrics = telemetry::render().await;
    let dropped =
        metrics.lines().find_map(|line| line.strip_prefix("quenty_spans_dropped_total{reason=\"queue\"} "));
    let dropped: u64 = dropped.expect("what found no place is counted").parse().expect("a number");
    assert!((10_000..20_000).contains(&dropped), "{dropped} of 20,000 found no place");

    let begun = Instant::now();
    traces.end().await;
    assert!(begun.elapsed() < Duration::from_secs(5), "a process ends all the same");
    app.stop().await;
}
