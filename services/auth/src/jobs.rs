//! Periodic work: rotating keys, forgetting what has expired.

use std::time::Duration;

use quenty_kernel::clock::wall_now;
use quenty_platform::{App, Result, service::Job};

use crate::{parts::KeyRing, store};

pub fn jobs() -> Vec<Job> {
    vec![
        Job::new("signing-keys", Duration::from_secs(60), maintain_signing_keys),
        Job::new("forget-expired", Duration::from_secs(3600), forget_expired),
    ]
}

/// Each process also reads here what another one has rotated, long before a new key signs.
async fn maintain_signing_keys(app: App) -> Result<()> {
    app.part::<KeyRing>()?.maintain(app.db()).await
}

async fn forget_expired(app: App) -> Result<()> {
    let now = wall_now();
    let mut connection = app.db().acquire().await?;
    // One that fails, as where two replicas meet, keeps none of the others from it.
    let outcomes = [
        store::sessions::prune(&mut connection, now).await,
        store::links::prune(&mut connection, now).await,
        store::revocations::prune(&mut connection, now).await,
        store::password_resets::prune(&mut connection, now).await,
        store::registrations::prune(&mut connection, now).await,
        store::mfa::prune(&mut connection, now).await,
        store::passkeys::prune(&mut connection, now).await,
        store::devices::prune(&mut connection, now).await,
        store::lockouts::prune(&mut connection, now).await,
        store::rate_limits::prune(&mut connection, now).await,
    ];
    outcomes.into_iter().collect()
}
