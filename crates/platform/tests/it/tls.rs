//! TLS to the servers of the infrastructure and between services, verified, on real ones.

use std::{os::unix::fs::MetadataExt, path::Path};

use http::Method;
use nix::unistd::{Gid, Uid, chown};
use quenty_kernel::id::UserId;
use quenty_platform::{
    bus::{Topology, rabbit::RabbitBus},
    client::Transport,
    db,
    discovery::Discovery,
    redis::{Redis, cmd},
    settings::{CHASSIS, Setting, Settings},
    tls,
    token::{Claims, Realm},
};
use quenty_testkit::{
    TestOptions,
    certificates::{Authority, Files},
    consul, eventually,
    http::Call,
    keys,
    rabbit::RabbitServer,
    redis::RedisServer,
    scratch_dir::ScratchDir,
    shared::{shared_postgres, start_postgres},
    wait::eventually_within,
};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio_util::sync::CancellationToken;

use crate::probe::{Tries, start_with};

const UNKNOWN: &str = "QUENTY_CA_FILE names who may";
const OTHER_NAME: &str = "the server's certificate is for another name";
const NO_TLS: &str = "no TLS is spoken at this port";
const SHOW_ONE: &str = "the server wants to see a certificate of ours";

fn settings(pairs: &[(&str, &str)]) -> Settings {
    const PLACES: &[Setting] = &[Setting::of_service("probe_url", "http://127.0.0.1:9")];
    let known: [&[Setting]; 3] = [CHASSIS, PLACES, quenty_platform::redis::SETTINGS];
    let settings = Settings::load(&known, None, std::iter::empty()).unwrap();
    pairs.iter().fold(settings, |settings, (key, value)| settings.with(key, *value))
}

/// The authority that is right, and another one.
fn authorities(folder: &Path) -> (Authority, Authority) {
    (Authority::new(&folder.join("right")).unwrap(), Authority::new(&folder.join("other")).unwrap())
}

/// What an operator is told who connects with this URL and authority; nothing when it works.
async fn postgres(url: &str, ca_file: &str) -> Option<String> {
    let url = db::with_authority(url, Some(ca_file)).unwrap();
    match PgConnection::connect(&url).await {
        Ok(mut connection) => {
            let by_tls = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
            assert!(sqlx::query_scalar::<_, bool>(by_tls).fetch_one(&mut connection).await.unwrap());
            None
        }
        Err(error) => Some(tls::told(&error)),
    }
}

#[tokio::test]
async fn postgresql_proves_its_name_and_may_ask_for_ours() {
    let folder = ScratchDir::new("quenty-tls-postgres").unwrap();
    let (right, other) = authorities(&folder.path().join("certificates"));
    let server = start_postgres(folder.path()).await.unwrap();
    let data = std::fs::metadata(folder.path().join("postgres")).unwrap();
    let (uid, gid) = (Uid::from_raw(data.uid()), Gid::from_raw(data.gid()));
    let files = right.issue(&["127.0.0.1"]).unwrap();
    let files = files.owned_by(&folder.path().join("postgres"), Some((uid, gid))).unwrap();
    let mut admin = PgConnection::connect(&server.superuser_url("postgres")).await.unwrap();
    let Files { authority, certificate, key } = &files;
    for setting in [
        "ssl = on".to_owned(),
        format!("ssl_ca_file = '{authority}'"),
        format!("ssl_cert_file = '{certificate}'"),
        format!("ssl_key_file = '{key}'"),
    ] {
        sqlx::raw_sql(AssertSqlSafe(format!("alter system set {setting}")))
            .execute(&mut admin)
            .await
            .unwrap();
    }
    sqlx::raw_sql("select pg_reload_conf()").execute(&mut admin).await.unwrap();
    let url = server.superuser_url("postgres");
    eventually("the server speaks TLS", || async {
        postgres(&url, &right.file()).await.is_none().then_some(())
    })
    .await;
    let unknown = postgres(&url, &other.file()).await.unwrap();
    assert!(unknown.contains(UNKNOWN), "{unknown}");
    let misnamed = postgres(&url.replace("127.0.0.1", "localhost"), &right.file()).await.unwrap();
    assert!(misnamed.contains(OTHER_NAME), "{misnamed}");
    let plain = shared_postgres().await.unwrap().superuser_url("postgres");
    let plain = postgres(&plain, &right.file()).await.unwrap();
    assert!(plain.contains("switch TLS on there"), "{plain}");

    // From now on nobody comes in without a certificate in whose name the role stands.
    let hba: String =
        sqlx::query_scalar("select current_setting('hba_file')").fetch_one(&mut admin).await.unwrap();
    std::fs::write(&hba, "local all all trust\nhostssl all all 127.0.0.1/32 cert\n").unwrap();
    chown(Path::new(&hba), Some(uid), Some(gid)).unwrap();
    sqlx::raw_sql("select pg_reload_conf()").execute(&mut admin).await.unwrap();
    let role: String = sqlx::query_scalar("select current_user::text").fetch_one(&mut admin).await.unwrap();
    eventually("the server asks for a certificate", || async { postgres(&url, &right.file()).await }).await;
    let shown = |files: Files| format!("{url}?sslcert={}&sslkey={}", files.certificate, files.key);
    assert_eq!(postgres(&shown(right.issue(&[&role]).unwrap()), &right.file()).await, None);
    let another = postgres(&shown(right.issue(&["another"]).unwrap()), &right.file()).await.unwrap();
    assert!(another.contains("certificate authentication failed"), "{another}");
    assert!(postgres(&shown(other.issue(&[&role]).unwrap()), &right.file()).await.is_some());
    drop(admin);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn rabbitmq_proves_its_name_and_asks_for_ours() {
    let folder = ScratchDir::new("quenty-tls-rabbit").unwrap();
    let (right, other) = authorities(&folder.path().join("certificates"));
    let files = right.issue(&["127.0.0.1"]).unwrap();
    let server = RabbitServer::start_with_tls(&folder.path().join("rabbit"), &files).await.unwrap();
    let (own, strangers) = (right.issue(&["order"]).unwrap(), other.issue(&["order"]).unwrap());
    let ask = async |url: &str, ca_file: &str, shown: Option<&Files>| {
        let mut pairs = vec![("bus_url", url), ("ca_file", ca_file)];
        if let Some(files) = shown {
            pairs.extend([
                ("service_certificate_file", files.certificate.as_str()),
                ("service_key_file", files.key.as_str()),
            ]);
        }
        let bus = RabbitBus::from_settings(&settings(&pairs), Topology::default()).unwrap();
        bus.declare().await.err().map(|away| away.to_string())
    };
    let url = server.amqps_url("127.0.0.1", "/");
    assert_eq!(ask(&url, &right.file(), Some(&own)).await, None);
    let unknown = ask(&url, &other.file(), Some(&own)).await.unwrap();
    assert!(unknown.contains(UNKNOWN) && !unknown.contains("quenty:"), "{unknown}");
    let misnamed = ask(&server.amqps_url("localhost", "/"), &right.file(), Some(&own)).await.unwrap();
    assert!(misnamed.contains(OTHER_NAME), "{misnamed}");
    let plain = server.amqp_url("/").replace("amqp:", "amqps:");
    let plain = ask(&plain, &right.file(), Some(&own)).await.unwrap();
    assert!(plain.contains(NO_TLS), "{plain}");
    assert!(ask(&url, &right.file(), None).await.is_some(), "who shows nothing is refused");
    assert!(ask(&url, &right.file(), Some(&strangers)).await.is_some(), "and who shows another authority's");
    let nobody = RabbitBus::from_settings(&settings(&[("bus_url", &url)]), Topology::default()).unwrap();
    let nobody = nobody.declare().await.unwrap_err().to_string();
    assert!(nobody.contains(UNKNOWN), "{nobody}");
}

#[tokio::test]
async fn redis_proves_its_name() {
    let folder = ScratchDir::new("quenty-tls-redis").unwrap();
    let (right, other) = authorities(&folder.path().join("certificates"));
    let users: [(&str, &[&str]); 1] = [("one", &["limits"])];
    let files = right.issue(&["127.0.0.1"]).unwrap();
    let by_tls = RedisServer::start_with_tls(&folder.path().join("tls"), &users, files).await.unwrap();
    let plain = RedisServer::start(&folder.path().join("plain"), &users).await.unwrap();
    let ask = async |url: &str, ca_file: &str| {
        let redis =
            Redis::from_settings(&settings(&[("redis_url", url), ("ca_file", ca_file)])).unwrap().unwrap();
        redis.ask::<String>(&cmd("PING")).await
    };
    let url = by_tls.url("one");
    eventually("it answers", || async { ask(&url, &right.file()).await.ok() }).await;
    assert!(ask(&url, &other.file()).await.is_err());
    assert!(ask(&url.replace("127.0.0.1", "localhost"), &right.file()).await.is_err());
    assert!(ask(&plain.url("one").replace("redis:", "rediss:"), &right.file()).await.is_err());
}

#[tokio::test]
async fn consul_proves_its_name() {
    let folder = ScratchDir::new("quenty-tls-consul").unwrap();
    let (right, other) = authorities(&folder.path().join("certificates"));
    let files = right.issue(&["127.0.0.1"]).unwrap();
    let Some(agent) = consul::start_with_tls(folder.path(), files).await.unwrap() else { return };
    let token = consul::token(&agent).await.unwrap();
    let url = agent.https_url("127.0.0.1");
    let pairs = [("consul_url", url.as_str()), ("consul_token", token.as_str())];
    let ask = async |name: &str, ca_file: &str| {
        let transport = Transport::from_settings(&settings(&[("ca_file", ca_file)])).unwrap();
        let url = format!("{}/v1/status/leader", agent.https_url(name));
        let call =
            Call::new(transport.to_infrastructure(), Method::GET, url).header("x-consul-token", &token);
        call.try_send().await.err().map(|error| error.to_string())
    };
    assert_eq!(ask("127.0.0.1", &right.file()).await, None);
    let unknown = ask("127.0.0.1", &other.file()).await.unwrap();
    assert!(unknown.contains(UNKNOWN), "{unknown}");
    let misnamed = ask("localhost", &right.file()).await.unwrap();
    assert!(misnamed.contains(OTHER_NAME), "{misnamed}");

    let ca_file = right.file();
    let options = pairs.into_iter().chain([("ca_file", ca_file.as_str())]);
    let options = options.map(|(key, value)| (key, value.to_owned())).collect();
    let probe =
        start_with(&Tries::default(), TestOptions { settings: options, ..TestOptions::default() }).await;
    let settings = settings(&[pairs[0], pairs[1], ("ca_file", &ca_file)]);
    let discovery = Discovery::from_settings(&settings, &Transport::from_settings(&settings).unwrap());
    let stop = CancellationToken::new();
    let found = eventually_within(std::time::Duration::from_secs(60), "it is found", || async {
        (discovery.next("probe")? == probe.base_url).then_some(())
    });
    tokio::select! {
        () = discovery.clone().follow(stop) => panic!("nobody asked it to end"),
        () = found => {}
    }
}

#[tokio::test]
async fn a_service_with_certificates_serves_its_siblings_and_nobody_else() {
    let folder = ScratchDir::new("quenty-mtls").unwrap();
    let (right, other) = authorities(folder.path());
    let of = |files: &Files| {
        [
            ("service_ca_file", files.authority.clone()),
            ("service_certificate_file", files.certificate.clone()),
            ("service_key_file", files.key.clone()),
        ]
    };
    let own = right.issue(&["probe", "127.0.0.1"]).unwrap();
    let options = TestOptions { settings: of(&own).to_vec(), ..TestOptions::default() };
    let probe = start_with(&Tries::default(), options).await;
    assert!(probe.base_url.starts_with("https://"), "{}", probe.base_url);

    let with = |pairs: &[(&str, String)]| {
        let pairs: Vec<_> = pairs.iter().map(|(key, value)| (*key, value.as_str())).collect();
        Transport::from_settings(&settings(&pairs)).unwrap()
    };
    let call = |transport: &Transport, method: Method, path: &str| {
        Call::new(transport.clone(), method, format!("{}{path}", probe.base_url))
    };
    let gateway = with(&of(&right.issue(&["gateway"]).unwrap()));
    call(&gateway, Method::GET, "/health/live").send().await.expect(200);
    let nameless = with(&[("ca_file", right.file())]).to_infrastructure();
    let refused = call(&nameless, Method::GET, "/health/live").try_send().await.err().unwrap().to_string();
    assert!(refused.contains(SHOW_ONE), "{refused}");
    let stranger = Files { authority: right.file(), ..other.issue(&["gateway"]).unwrap() };
    assert!(call(&with(&of(&stranger)), Method::GET, "/health/live").try_send().await.is_err());
    let misled = with(&of(&other.issue(&["gateway"]).unwrap()));
    let refused = call(&misled, Method::GET, "/health/live").try_send().await.err().unwrap().to_string();
    assert!(refused.contains(UNKNOWN), "{refused}");
    let clear = probe.base_url.replace("https:", "http:");
    let clear = Call::new(gateway.clone(), Method::GET, format!("{clear}/health/live")).try_send().await;
    assert!(clear.is_err(), "nothing is said in the clear");

    // A service's token is worth something in its own hands only; a person's comes through the gateway.
    let token = |realm, sub: &str| {
        let claims = keys::claims(realm, UserId::new(), None, &["things:count"]);
        keys::sign(&Claims { sub: sub.to_owned(), ..claims })
    };
    let order = with(&of(&right.issue(&["order"]).unwrap()));
    let count = |transport: &Transport, token: &str| {
        call(transport, Method::POST, "/api/v1/things")
            .token(token)
            .json(&serde_json::json!({"n": 1, "how": "writes"}))
            .send()
    };
    let orders = token(Realm::Service, "order");
    count(&order, &orders).await.expect(204);
    count(&gateway, &orders).await.expect_problem(403, "NOT_THIS_SERVICE");
    count(&gateway, &token(Realm::Staff, &UserId::new().to_string())).await.expect(204);

    // What is renewed is shown from then on, by either side, and nobody has to start again.
    let renew = |old: &Files, new: &Files| {
        std::fs::copy(&new.key, &old.key).unwrap();
        std::fs::copy(&new.certificate, &old.certificate).unwrap();
    };
    let alive = |transport: &Transport| call(transport, Method::GET, "/health/live").try_send();
    let of_returns = Files { authority: right.file(), ..other.issue(&["returns"]).unwrap() };
    let returns = with(&of(&of_returns));
    assert!(alive(&returns).await.is_err());
    renew(&of_returns, &right.issue(&["returns"]).unwrap());
    eventually("the caller shows its new certificate", || async { alive(&returns).await.ok() })
        .await
        .expect(200);
    renew(&own, &other.issue(&["probe", "127.0.0.1"]).unwrap());
    eventually("the service shows its new certificate", || async {
        let anew = with(&of(&right.issue(&["gateway"]).unwrap()));
        let refused = alive(&anew).await.err()?.to_string();
        refused.contains(UNKNOWN).then_some(())
    })
    .await;
}

#[test]
fn half_of_what_it_takes_is_a_start_error() {
    let folder = ScratchDir::new("quenty-tls-settings").unwrap();
    let authority = Authority::new(folder.path()).unwrap();
    let own = authority.issue(&["order"]).unwrap();
    for (pairs, told) in [
        (vec![("service_ca_file", authority.file())], "quenty certs init"),
        (vec![("service_certificate_file", own.certificate.clone())], "belong together"),
        (vec![("ca_file", "/nowhere/ca.pem".to_owned())], "/nowhere/ca.pem"),
        (vec![("ca_file", own.key.clone())], "holds no certificate"),
    ] {
        let pairs: Vec<_> = pairs.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let error = Transport::from_settings(&settings(&pairs)).err().unwrap().to_string();
        assert!(error.contains(told), "{error}");
    }
}
