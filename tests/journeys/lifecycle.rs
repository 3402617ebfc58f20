//! `quenty up` as a process: it holds its folder, ends in order, and comes back after it was killed.

use std::{net::TcpStream, path::Path, time::Duration};

use nix::sys::signal::Signal;
use quenty_testkit::scratch_dir::ScratchDir;

use crate::harness::{
    Person, Up, process, until,
    up::{environment, text},
};

#[tokio::test]
async fn a_second_up_on_the_same_folder_says_who_holds_it() {
    let up = Up::durable(folder()).await;
    let data = text(&up.ready.data).to_owned();
    let second = process::run(&["up", "--ports", "free", "--data", &data], &environment(&up.folder)).await;
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success(), "{said}");
    assert!(said.contains(&up.process.pid().to_string()), "it names the process that holds it: {said}");
    assert_eq!(up.stage.anyone().get("/health").await.status(), 200, "and does not disturb it");
    up.stop().await;
}

#[tokio::test]
async fn a_killed_up_recovers_with_its_data() {
    let up = Up::durable(folder()).await;
    let admin = Person::administrator(&up.stage).await;
    let invited = admin.invite("support", "ines@quenty.example").await;
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
    up.stop().await;
}

#[tokio::test]
async fn sigterm_ends_it_in_order_and_leaves_no_process_behind() {
    let up = Up::durable(folder()).await;
    let data = up.ready.data.clone();
    let addresses: Vec<String> = up.ready.services.values().chain([&up.ready.gateway]).cloned().collect();
    assert!(processes_below(&data).len() > 1, "the platform and its PostgreSQL");
    let _folder = up.stop().await;
    until(Duration::from_secs(10), "no process is left", async || {
        let left = processes_below(&data);
        left.is_empty().then_some(())
    })
    .await;
    for address in addresses {
        let address = address.trim_start_matches("http://");
        assert!(TcpStream::connect(address).is_err(), "{address} still listens");
    }
}

#[tokio::test]
async fn an_ephemeral_platform_takes_its_folder_with_it() {
    let up = Up::ephemeral(&[]).await;
    let data = up.ready.data.clone();
    assert!(data.is_dir());
    let _folder = up.stop().await;
    assert!(!data.exists(), "{} is still there", data.display());
}

#[tokio::test]
async fn a_killed_up_takes_its_postgres_with_it() {
    let up = Up::durable(folder()).await;
    let data = up.ready.data.clone();
    up.process.signal(Signal::SIGKILL);
    up.process.ended().await;
    until(Duration::from_secs(30), "PostgreSQL ends too", async || {
        processes_below(&data).is_empty().then_some(())
    })
    .await;
}

fn folder() -> ScratchDir {
    ScratchDir::new("quenty-lifecycle").expect("a folder")
}

/// Processes whose command line names something in this folder.
fn processes_below(folder: &Path) -> Vec<String> {
    let of_this_machine = std::fs::read_dir("/proc").expect("/proc");
    let lines =
        of_this_machine.flatten().filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(text(folder))).collect()
}
