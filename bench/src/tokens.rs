//! Checks of access tokens on one core, as the gateway and every service do them for each request: of a token that is
//! seen for the first time, beside the bare Ed25519 check, and of one that was seen before, beside that first time.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use quenty_kernel::id::{CompanyId, UserId};
use quenty_platform::{
    client::Transport,
    discovery::Discovery,
    settings::{CHASSIS, Settings},
    token::{Realm, Verifier},
};
use quenty_testkit::{keys, neighbour};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{Effort, harness::until, report};

/// About as many as an owner of a company has.
const PERMISSIONS: usize = 40;

pub async fn measure(effort: Effort) -> Result<()> {
    let mut upkeep = JoinSet::new();
    let verifier = verifier(&mut upkeep).await?;
    let count = effort.of(5_000, 500);
    let (mut first, mut again, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.of(5, 1) {
        // Nobody has seen these, and the cache has room for all of them.
        let tokens: Vec<String> = (0..count).map(|_| token()).collect();
        first.push(checks(&verifier, &tokens, 1).await?);
        again.push(checks(&verifier, &tokens, 20).await?);
        bare.push(signatures(&tokens)?);
    }
    let [first, again, bare] = [first, again, bare].map(median);
    report::tell("token_checks_first_time", "checks/s", first, bare)?;
    report::tell("token_checks_again", "checks/s", again, first)
}

async fn verifier(upkeep: &mut JoinSet<()>) -> Result<Verifier> {
    let settings = Settings::load(&[CHASSIS], None, std::iter::empty())?
        .with("auth_url", neighbour::serve(keys::router()).await);
    let discovery = Discovery::from_settings(&settings, &Transport::default());
    let verifier = Verifier::new(Transport::default(), discovery, keys::ISSUER);
    upkeep.spawn(verifier.clone().keep_fresh(CancellationToken::new()));
    until(Duration::from_secs(10), "keys and revocations are known", async || {
        verifier.verify(&token()).await.ok()
    })
    .await;
    Ok(verifier)
}

fn token() -> String {
    let permissions: Vec<String> = (0..PERMISSIONS).map(|number| format!("resource_{number}:read")).collect();
    let permissions: Vec<&str> = permissions.iter().map(String::as_str).collect();
    keys::sign(&keys::claims(Realm::Company, UserId::new(), Some(CompanyId::new()), &permissions))
}

/// Checks each of the tokens so many times; checks per second.
async fn checks(verifier: &Verifier, tokens: &[String], times: usize) -> Result<f64> {
    let started = Instant::now();
    for _ in 0..times {
        for token in tokens {
            verifier.verify(token).await.map_err(|refused| anyhow!("a token was refused: {refused}"))?;
        }
    }
    Ok((tokens.len() * times) as f64 / started.elapsed().as_secs_f64())
}

/// Nothing but signatures, of as many bytes; checks per second.
fn signatures(tokens: &[String]) -> Result<f64> {
    let key = SigningKey::from_bytes(&rand::random());
    let signed: Vec<(&[u8], Signature)> = tokens
        .iter()
        .filter_map(|token| token.rsplit_once('.'))
        .map(|(told, _)| (told.as_bytes(), key.sign(told.as_bytes())))
        .collect();
    let (key, started) = (VerifyingKey::from(&key), Instant::now());
    for (told, signature) in &signed {
        key.verify_strict(black_box(told), signature).context("a signature of our own")?;
    }
    Ok(signed.len() as f64 / started.elapsed().as_secs_f64())
}

fn median(mut rounds: Vec<f64>) -> f64 {
    rounds.sort_by(f64::total_cmp);
    rounds.get(rounds.len() / 2).copied().unwrap_or_default()
}
