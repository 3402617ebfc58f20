//! The private server, on real folders with real processes. Runs as root and as an ordinary user.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use quenty_platform::embedded_postgres::{EmbeddedPostgres, EmbeddedPostgresError, Options};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

const OWNER_FOLDER: &str = "QUENTY_TEST_OWNER_FOLDER";

async fn start(folder: &Path) -> EmbeddedPostgres {
    try_start(folder).await.unwrap()
}

async fn try_start(folder: &Path) -> Result<EmbeddedPostgres, EmbeddedPostgresError> {
    EmbeddedPostgres::start(Options { max_connections: 20, ..Options::new(folder) }).await
}

async fn connect(server: &EmbeddedPostgres) -> PgConnection {
    PgConnection::connect(&server.superuser_url("postgres")).await.unwrap()
}

async fn remember(server: &EmbeddedPostgres, number: i32) {
    let mut connection = connect(server).await;
    sqlx::query("CREATE TABLE IF NOT EXISTS remembered (number integer)")
        .execute(&mut connection)
        .await
        .unwrap();
    sqlx::query("INSERT INTO remembered VALUES ($1)").bind(number).execute(&mut connection).await.unwrap();
}

async fn remembered(server: &EmbeddedPostgres) -> Vec<i32> {
    let mut connection = connect(server).await;
    let query = sqlx::query_scalar("SELECT number FROM remembered ORDER BY number");
    query.fetch_all(&mut connection).await.unwrap()
}

/// Every process of the server, backends too, works in its cluster's folder.
fn processes_of(folder: &Path) -> usize {
    let cluster = fs::canonicalize(folder).unwrap().join("cluster");
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter(|entry| fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == cluster)).count()
}

fn wait_until_none_of(folder: &Path) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while processes_of(folder) > 0 {
        assert!(Instant::now() < deadline, "a postgres process of {} stays", folder.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test]
async fn a_cold_start_serves_with_a_generated_password_only() {
    let folder = TempDir::new().unwrap();
    let server = start(folder.path()).await;
    let mut connection = connect(&server).await;

    let settings: Vec<(String, String)> =
        sqlx::query_as("SELECT name, setting FROM pg_settings WHERE name = ANY($1) ORDER BY name")
            .bind(vec![
                "fsync",
                "listen_addresses",
                "max_connections",
                "password_encryption",
                "server_encoding",
            ])
            .fetch_all(&mut connection)
            .await
            .unwrap();
    let settings: Vec<_> = settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        settings,
        [
            "fsync=on",
            "listen_addresses=127.0.0.1",
            "max_connections=20",
            "password_encryption=scram-sha-256",
            "server_encoding=UTF8"
        ]
    );
    let password_mode = fs::metadata(folder.path().join("superuser.password")).unwrap().permissions().mode();
    assert_eq!(password_mode & 0o777, 0o600);

    let over_tcp = format!("postgres://postgres:guess@127.0.0.1:{}/postgres", server.port());
    let socket = server.socket_dir().display();
    let over_socket = format!("postgres://postgres:guess@localhost:{}/postgres?host={socket}", server.port());
    for url in [over_tcp, over_socket] {
        let error = PgConnection::connect(&url).await.unwrap_err().to_string();
        assert!(error.contains("password authentication failed"), "{error}");
    }
    server.stop().await.unwrap();
    assert_eq!(processes_of(folder.path()), 0);
}

#[tokio::test]
async fn a_restart_keeps_the_data() {
    let folder = TempDir::new().unwrap();
    let server = start(folder.path()).await;
    remember(&server, 1).await;
    server.stop().await.unwrap();

    let server = start(folder.path()).await;
    assert_eq!(remembered(&server).await, [1]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_fixed_port_is_kept_and_an_ephemeral_server_does_not_sync() {
    let folder = TempDir::new().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let options = Options { ephemeral: true, port: Some(port), ..Options::new(folder.path()) };
    let server = EmbeddedPostgres::start(options).await.unwrap();
    assert_eq!(server.port(), port);
    let fsync: String =
        sqlx::query_scalar("SHOW fsync").fetch_one(&mut connect(&server).await).await.unwrap();
    assert_eq!(fsync, "off");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_start_on_the_same_folder_names_the_holder() {
    let folder = TempDir::new().unwrap();
    let server = start(folder.path()).await;
    let error = try_start(folder.path()).await.unwrap_err();
    let holder = std::process::id().to_string();
    assert!(matches!(&error, EmbeddedPostgresError::Held { pid, .. } if *pid == holder), "{error}");
    assert!(error.to_string().contains(&format!("in use by process {holder}")), "{error}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_killed_server_recovers_what_was_committed() {
    let folder = TempDir::new().unwrap();
    let server = start(folder.path()).await;
    remember(&server, 1).await;
    kill(Pid::from_raw(server.pid()), Signal::SIGKILL).unwrap();
    drop(server);

    let options = Options::new(folder.path());
    options.give_up.cancel();
    let error = EmbeddedPostgres::start(options).await.unwrap_err();
    assert!(matches!(error, EmbeddedPostgresError::GivenUp), "{error}");
    assert_eq!(processes_of(folder.path()), 0, "who is asked to end while it recovers leaves none of it");

    let server = start(folder.path()).await;
    assert_eq!(remembered(&server).await, [1]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_that_ends_unasked_is_noticed_and_told_with_the_end_of_its_log() {
    let folder = TempDir::new().unwrap();
    let server = start(folder.path()).await;
    kill(Pid::from_raw(server.pid()), Signal::SIGKILL).unwrap();
    let told = server.ended().await.to_string();
    for part in ["ended without being asked to", "SIGKILL", "postgresql.log", "ready to accept connections"] {
        assert!(told.contains(part), "{part} in {told}");
    }
    server.stop().await.unwrap();
    wait_until_none_of(folder.path());
}

#[tokio::test]
async fn a_killed_platform_leaves_no_server_behind() {
    let folder = TempDir::new().unwrap();
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "owner_process", "--nocapture", "--include-ignored"])
        .env(OWNER_FOLDER, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(owner.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("serving")), "the owner started no server");
    assert!(processes_of(folder.path()) > 0);

    owner.kill().unwrap();
    owner.wait().unwrap();
    wait_until_none_of(folder.path());

    let server = start(folder.path()).await;
    assert_eq!(remembered(&server).await, [7]);
    server.stop().await.unwrap();
}

#[tokio::test]
#[ignore = "not a test: the process that the test above kills"]
async fn owner_process() {
    let Some(folder) = std::env::var_os(OWNER_FOLDER) else { return };
    let server = start(Path::new(&folder)).await;
    remember(&server, 7).await;
    println!("\nserving");
    std::future::pending::<()>().await;
    drop(server);
}

#[tokio::test]
async fn a_server_that_an_earlier_run_left_is_stopped_first() {
    let folder = TempDir::new().unwrap();
    let server = start(folder.path()).await;
    remember(&server, 1).await;
    let first = server.pid();
    // Dropping frees the folder while the server is still on its way down.
    drop(server);

    let server = start(folder.path()).await;
    assert_ne!(server.pid(), first);
    assert_eq!(remembered(&server).await, [1]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_folder_of_another_major_version_is_refused() {
    let folder = TempDir::new().unwrap();
    start(folder.path()).await.stop().await.unwrap();
    fs::write(folder.path().join("cluster/PG_VERSION"), "9\n").unwrap();

    let error = try_start(folder.path()).await.unwrap_err().to_string();
    assert!(error.contains("was written by postgresql 9"), "{error}");
    assert!(error.contains("apt-get install postgresql-9") && error.contains("pg_dumpall"), "{error}");
}

#[tokio::test]
async fn a_folder_with_other_files_is_left_alone() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("thesis.tex"), "").unwrap();
    let error = try_start(folder.path()).await.unwrap_err();
    assert!(matches!(error, EmbeddedPostgresError::NotOurs { .. }), "{error}");
}

#[tokio::test]
async fn a_long_path_gets_its_socket_elsewhere() {
    let root = TempDir::new().unwrap();
    fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let folder = root.path().join("a".repeat(120));
    let server = start(&folder).await;
    assert!(server.socket_dir().starts_with("/tmp"));
    let mode = fs::metadata(server.socket_dir()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    remember(&server, 1).await;
    let socket_dir = server.socket_dir().to_owned();
    server.stop().await.unwrap();
    fs::remove_dir_all(socket_dir).unwrap();
}
