//! Logins per second beside the bare Argon2id on as many threads as Auth has workers for it, and what others notice of a
//! storm of logins: the latency of reads through the same gateway, beside that without a storm.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use http::Method;
use quenty_testkit::{ports::free_ports, scratch_dir::ScratchDir};
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    Effort,
    gateway::gateway_before,
    harness::{Cast, Client, Cluster, Stage, until},
    report,
    samples::Samples,
};

/// Who logs in at the same time; as many as Auth lets wait would only queue longer.
const LOGINS: usize = 16;
/// Who reads meanwhile, and how often: far from all that the platform can do.
const READERS: usize = 4;
const READ_EVERY: Duration = Duration::from_millis(25);
/// As Auth hashes (OWASP Password Storage Cheat Sheet), with its default number of workers.
const WORKERS: usize = 2;

pub async fn measure(effort: Effort) -> Result<()> {
    let folder = ScratchDir::new("quenty-bench-logins")?;
    let cluster = Cluster::start().await;
    let cast = Cast::enter(&cluster.stage).await;
    let [port] = free_ports()?;
    let unlimited =
        ["AUTH", "READ", "PUBLIC"].map(|class| (format!("QUENTY_LIMIT_{class}"), "off".to_owned()));
    let gateway = gateway_before(&cluster, port, unlimited, folder.path());
    let anyone = Client::new(&format!("http://127.0.0.1:{port}"));
    let reader = anyone.with_token(cast.merchant.client.token());
    until(Duration::from_secs(30), "the gateway is ready", async || {
        (read(&reader).await.is_ok()).then_some(())
    })
    .await;

    let lasts = Duration::from_secs(effort.of(10, 2));
    let (mut quiet, mut beside, mut logins, mut hashes) =
        (Samples::default(), Samples::default(), Vec::new(), Vec::new());
    for _ in 0..effort.of(3, 1) {
        quiet.extend(read_for(&reader, lasts).await?);
        let storm = log_in_for(&anyone, &cluster.stage, lasts);
        let (logged_in, seen) = tokio::join!(storm, read_for(&reader, lasts));
        logins.push(logged_in? as f64 / lasts.as_secs_f64());
        beside.extend(seen?);
        hashes.push(hash_for(lasts)?);
    }
    let mean = |rounds: &[f64]| rounds.iter().sum::<f64>() / rounds.len() as f64;
    report::tell("logins", "logins/s", mean(&logins), mean(&hashes))?;
    report::tell_latency("reads_beside_logins", &beside, &quiet)?;
    drop(gateway);
    cluster.stop().await;
    Ok(())
}

async fn read(reader: &Client) -> Result<()> {
    let answer = reader.call(Method::GET, "/api/v1/products").try_send().await?;
    ensure!(answer.status() == 200, "a read was refused: {}", answer.text());
    Ok(())
}

async fn read_for(reader: &Client, lasts: Duration) -> Result<Samples> {
    let until = Instant::now() + lasts;
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        let reader = reader.clone();
        readers.spawn(async move {
            let mut answered = Samples::default();
            while Instant::now() < until {
                let sent = Instant::now();
                read(&reader).await?;
                answered.add(sent.elapsed());
                tokio::time::sleep(READ_EVERY).await;
            }
            Ok::<_, anyhow::Error>(answered)
        });
    }
    let mut all = Samples::default();
    while let Some(answered) = readers.join_next().await {
        all.extend(answered??);
    }
    Ok(all)
}

/// How many logged in.
async fn log_in_for(anyone: &Client, stage: &Stage, lasts: Duration) -> Result<usize> {
    let body = json!({"username_or_email": stage.admin_email, "password": stage.admin_password});
    let until = Instant::now() + lasts;
    let mut people = JoinSet::new();
    for _ in 0..LOGINS {
        let (anyone, body) = (anyone.clone(), body.clone());
        people.spawn(async move {
            let mut done = 0;
            while Instant::now() < until {
                let answer = anyone.call(Method::POST, "/api/v1/auth/login").json(&body).try_send().await?;
                ensure!(answer.status() == 200, "a login was refused: {}", answer.text());
                done += 1;
            }
            Ok(done)
        });
    }
    let mut all = 0;
    while let Some(done) = people.join_next().await {
        all += done??;
    }
    Ok(all)
}

/// Hashes per second, of all threads.
fn hash_for(lasts: Duration) -> Result<f64> {
    let until = Instant::now() + lasts;
    let hash = || {
        let params = Params::new(19 * 1024, 2, 1, None).map_err(|error| anyhow!("{error}"))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut done = 0;
        while Instant::now() < until {
            argon2.hash_password(b"correct-horse-battery-staple-9").map_err(|error| anyhow!("{error}"))?;
            done += 1;
        }
        Ok::<usize, anyhow::Error>(done)
    };
    let all: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..WORKERS).map(|_| scope.spawn(hash)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| anyhow!("a thread broke off"))?)
            .sum::<Result<usize>>()
    })?;
    Ok(all as f64 / lasts.as_secs_f64())
}
