//! `quenty up` as a process: it holds its folder, ends in order, and comes back after it was killed.

use std::{
    convert::Infallible,
    net::{TcpListener, TcpStream},
    path::Path,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use quenty_testkit::scratch_dir::ScratchDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{
    Environment, Person, Up,
    process::{self, Process},
    until,
    up::{environment, text},
};

/// What is wrong with a setting is known at once; a busy machine has slack.
const AT_ONCE: Duration = Duration::from_secs(15);

#[tokio::test]
async fn a_killed_up_recovers_with_its_data_and_takes_its_postgres_with_it() {
    let up = Up::durable(folder()).await;
    let admin = Person::administrator(&up.stage).await;
    let invited = admin.invite("support", "ines@quenty.example").await;
    invited.is_mailed(&up.stage).await;
    let services = up.ready.services.clone();
    up.process.kill().await;

    let Up { folder, process, stage, .. } = up;
    drop(process);
    let up = Up::durable(folder).await;
    assert_eq!(up.stage.admin_password, stage.admin_password, "the secrets are those of the first start");
    assert_eq!(up.ready.services.keys().collect::<Vec<_>>(), services.keys().collect::<Vec<_>>());
    let support = invited.accept(&up.stage).await;
    assert!(support.permissions().contains(&"kyc:decide".to_owned()), "who was invited is still awaited");
    up.stage.assert_sound().await;
    up.process.kill().await;
    no_process_is_left(&up.ready.data).await;
}

#[tokio::test]
async fn a_second_up_says_who_holds_the_folder_until_sigterm_ends_it_and_leaves_no_process_behind() {
    let up = Up::durable(folder()).await;
    let data = up.ready.data.clone();
    let second = ["up", "--ports", "free", "--data", text(&data)];
    let second = process::run(&second, &environment(&up.folder)).await;
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success(), "{said}");
    assert!(said.contains(&up.process.pid().to_string()), "it names the process that holds it: {said}");
    assert_eq!(up.stage.anyone().get("/health").await.status(), 200, "and does not disturb it");

    let addresses: Vec<String> = up.ready.services.values().chain([&up.ready.gateway]).cloned().collect();
    assert!(processes_below(&data).len() > 1, "the platform and its PostgreSQL");
    let _folder = up.stop().await;
    no_process_is_left(&data).await;
    for address in addresses {
        let address = address.trim_start_matches("http://");
        assert!(TcpStream::connect(address).is_err(), "{address} still listens");
    }
}

#[tokio::test]
async fn an_up_whose_terminal_is_closed_ends_in_order_and_takes_its_folder_with_it() {
    let folder = folder();
    let (ready, log) = (folder.path().join("ready.json"), folder.path().join("up.log"));
    let arguments = ["up", "--ephemeral", "--ports", "free", "--ready-file", text(&ready)];
    // A shell says this of other servers.
    let mut environment = environment(&folder);
    environment.insert("PGSSLMODE".to_owned(), "require".to_owned());
    let process = Process::start_unheard("up", &arguments, &environment, &log);
    until(Duration::from_secs(60), "it is ready", async || {
        assert!(process.exit_status().is_none(), "it ended\n{}", process.tail());
        ready.exists().then_some(())
    })
    .await;
    assert_eq!(platforms_in(folder.path()).len(), 1);
    process.signal(Signal::SIGHUP);
    assert!(process.ended().await.success(), "{}", process.tail());
    assert_eq!(platforms_in(folder.path()), Vec::<String>::new());
}

#[tokio::test]
async fn servers_that_the_environment_names_are_not_those_of_a_platform_in_one_process() {
    let folder = folder();
    for (variable, value) in [
        ("QUENTY_CONSUL_URL", "http://127.0.0.1:9"),
        ("QUENTY_REDIS_URL", "redis://127.0.0.1:9"),
        ("QUENTY_REPLICA_URL", "postgres://a:b@127.0.0.1:9/c"),
        ("QUENTY_SERVICE_CA_FILE", "/nowhere/ca.pem"),
        ("QUENTY_TLS_KEY_FILE", "/nowhere/key.pem"),
    ] {
        let mut environment = environment(&folder);
        environment.insert(variable.to_owned(), value.to_owned());
        for arguments in [&["up", "--ephemeral"][..], &["demo", "--exit"]] {
            let arguments = [arguments, &["--ports", "free"]].concat();
            let refused = process::run(&arguments, &environment).await;
            let said = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert!(!refused.status.success(), "{variable}: {arguments:?}");
            assert!(said.contains(&format!("unset {variable} ")), "{variable}: {said}");
        }
    }
}

#[tokio::test]
async fn servers_that_a_file_names_are_not_those_of_a_platform_of_many_processes() {
    let folder = folder();
    let (file, data) = (folder.path().join("quenty.toml"), folder.path().join("data"));
    std::fs::write(&file, "consul_url = \"http://127.0.0.1:9\"\n").expect("a file");
    let mut environment = environment(&folder);
    environment.insert("QUENTY_CONFIG".to_owned(), text(&file).to_owned());
    let arguments = ["up", "--distributed", "--ports", "free", "--data", text(&data)];
    let refused = process::run(&arguments, &environment).await;
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("take consul_url out of the file"), "{said}");
    assert!(!data.exists(), "nothing was begun");
}

#[tokio::test]
async fn an_up_whose_postgres_ends_says_so_and_ends_too() {
    let up = Up::durable(folder()).await;
    let data = up.ready.data.clone();
    let pid_file = data.join("postgres/cluster/postmaster.pid");
    let pid = std::fs::read_to_string(pid_file).expect("PostgreSQL tells who it is");
    let pid = pid.lines().next().and_then(|line| line.trim().parse().ok()).expect("a process id");
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("a process that runs");
    let status = up.process.ended().await;
    let said = up.process.log();
    assert!(!status.success(), "{said}");
    for part in ["postgresql ended", "SIGKILL", "postgresql.log", "stopping"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    no_process_is_left(&data).await;
}

#[tokio::test]
async fn a_service_that_waits_says_each_reason_and_ends_in_order_when_asked() {
    let database = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("postgres://a:b@{}/c", database.local_addr().expect("an address"));
    let environment = Environment::from(
        [
            ("QUENTY_DATABASE_URL", url.as_str()),
            ("QUENTY_BUS_URL", "amqp://a:b@127.0.0.1:9/c"),
            ("QUENTY_CLIENT_SECRET", "a-secret-of-thirty-two-characters"),
            ("QUENTY_PORT", "0"),
            ("QUENTY_FILES_URL", "file:///nowhere"),
            ("QUENTY_MAIL_DIR", "/nowhere"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let folder = folder();
    let log = folder.path().join("customer.log");
    let process = Process::start("customer", &["serve", "customer"], &environment, &log);
    for (answer, reasons) in [(&b""[..], 1), (&b"?"[..], 2)] {
        let told = until(AT_ONCE, "it says what it waits for", async || {
            (process.log().matches("waiting for its database").count() >= reasons).then_some(())
        });
        tokio::select! {
            () = told => {}
            never = answer_all(&database, answer) => match never {},
        }
    }
    process.signal(Signal::SIGTERM);
    let ended = tokio::select! {
        ended = process.ended() => ended,
        never = answer_all(&database, b"") => match never {},
    };
    assert!(ended.success(), "{}", process.tail());
}

/// Answers whoever connects with this, which is nothing that PostgreSQL says.
async fn answer_all(listener: &tokio::net::TcpListener, answer: &[u8]) -> Infallible {
    loop {
        let (mut client, _) = listener.accept().await.expect("somebody connects");
        // What is not read would break off the connection.
        drop(client.read(&mut [0; 64]).await);
        drop(client.write_all(answer).await);
    }
}

#[tokio::test]
async fn a_folder_that_has_lived_never_becomes_a_simulation() {
    let up = Up::durable(folder()).await;
    let data = text(&up.ready.data).to_owned();
    let folder = up.stop().await;
    for arguments in [
        &["up", "--simulated-clock"][..],
        &["up", "--simulated-clock", "2026-01-05T12:00:00Z"],
        &["demo", "--exit"],
    ] {
        let arguments = [arguments, &["--ports", "free", "--data", &data]].concat();
        let refused = process::run(&arguments, &environment(&folder)).await;
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success(), "{arguments:?}");
        assert!(said.contains("cannot become a simulation") && said.contains("another folder"), "{said}");
    }
    Up::durable(folder).await.stop().await;
}

#[tokio::test]
async fn serve_ends_at_once_when_it_cannot_work() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    for (service, setting, value, told) in [
        ("nosuch", "QUENTY_LOG", "info", "there is no service nosuch"),
        ("order", "QUENTY_LOG", "info", "QUENTY_BUS_URL is not set"),
        ("gateway", "QUENTY_HOST", "nowhere", "QUENTY_HOST"),
        ("gateway", "QUENTY_HOST", "0.0.0.0", "QUENTY_TRUSTED_NETWORK"),
        ("gateway", "QUENTY_PORT", &port, "cannot listen"),
        ("gateway", "QUENTY_PROT", "1", "QUENTY_PROT"),
    ] {
        let started = Instant::now();
        let environment = Environment::from([(setting.to_owned(), value.to_owned())]);
        let ended = process::run(&["serve", service], &environment).await;
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(!ended.status.success() && said.contains(told), "{service}, {setting}={value}: {said}");
        assert!(started.elapsed() < AT_ONCE, "{service}, {setting}={value}: {:?}", started.elapsed());
    }
}

#[tokio::test]
async fn a_start_that_fails_or_is_broken_off_leaves_no_folder_behind() {
    let folder = folder();
    // Of whoever has it: a platform on the ports of the mission does not start beside that.
    let _taken = TcpListener::bind("127.0.0.1:8000");
    let ready = folder.path().join("ready.json");
    std::fs::write(&ready, "of an earlier run").expect("a file");
    let arguments = ["up", "--ephemeral", "--ready-file", text(&ready)];
    let failed = process::run(&arguments, &environment(&folder)).await;
    assert!(!failed.status.success(), "{}", String::from_utf8_lossy(&failed.stderr));
    assert!(!ready.exists(), "nothing is ready");
    assert_eq!(platforms_in(folder.path()), Vec::<String>::new());

    let log = folder.path().join("up.log");
    let arguments = ["up", "--ephemeral", "--ports", "free"];
    let process = Process::start("up", &arguments, &environment(&folder), &log);
    until(AT_ONCE, "it has begun", async || (!platforms_in(folder.path()).is_empty()).then_some(())).await;
    process.signal(Signal::SIGINT);
    assert!(!process.ended().await.success(), "{}", process.tail());
    assert_eq!(platforms_in(folder.path()), Vec::<String>::new());
}

#[tokio::test]
async fn who_asks_twice_does_not_wait() {
    let up = Up::ephemeral(&[]).await;
    // A client that never ends its request would be waited for.
    let address = up.ready.gateway.trim_start_matches("http://").to_owned();
    let mut client = TcpStream::connect(address).expect("the gateway");
    std::io::Write::write_all(
        &mut client,
        b"POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{",
    )
    .expect("half a request");
    up.process.signal(Signal::SIGTERM);
    until(AT_ONCE, "it is stopping", async || up.process.log().contains("stopping").then_some(())).await;
    let asked_again = Instant::now();
    up.process.signal(Signal::SIGTERM);
    up.process.ended().await;
    assert!(asked_again.elapsed() < Duration::from_secs(8), "{:?}", asked_again.elapsed());
    assert!(!up.ready.data.exists(), "{} is still there", up.ready.data.display());
}

/// Temporary platforms; a log of the test's own is none.
fn platforms_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("quenty-")).collect()
}

fn folder() -> ScratchDir {
    ScratchDir::new("quenty-lifecycle").expect("a folder")
}

async fn no_process_is_left(folder: &Path) {
    until(Duration::from_secs(30), "no process is left", async || {
        processes_below(folder).is_empty().then_some(())
    })
    .await;
}

/// Processes whose command line names something in this folder.
fn processes_below(folder: &Path) -> Vec<String> {
    let of_this_machine = std::fs::read_dir("/proc").expect("/proc");
    let lines =
        of_this_machine.flatten().filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(text(folder))).collect()
}
