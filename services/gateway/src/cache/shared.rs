//! What gateways keep together in Redis, as long as it may be shown: what one of them has asked for, the others need not
//! ask for again. While Redis is away each keeps its own.

use std::time::{Duration, Instant};

use axum::body::Bytes;
use base64::{Engine, engine::general_purpose::STANDARD};
use hyper::header::{HeaderName, HeaderValue, ToStrError};
use quenty_kernel::clock::wall_now;
use quenty_platform::redis::{Redis, cmd};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Place,
    life::Life,
    shelf::{Copy, Shelf},
};

pub(super) struct Shared(Redis);

/// A shelf as Redis holds it. Another version of the gateway that cannot read it asks the service instead.
#[derive(Serialize, Deserialize)]
struct Written {
    vary: Vec<String>,
    copies: Vec<WrittenCopy>,
}

#[derive(Serialize, Deserialize)]
struct WrittenCopy {
    asked: Vec<Option<String>>,
    headers: Vec<(String, String)>,
    /// In base64.
    body: String,
    /// By wall time, which gateways have in common, in milliseconds.
    made_at: i64,
    /// In milliseconds.
    fresh_for: u64,
    #[serde(default)]
    stale_while_renewed: u64,
    #[serde(default)]
    stale_if_error: u64,
}

impl Shared {
    pub(super) fn new(redis: Redis) -> Self {
        Self(redis)
    }

    pub(super) async fn shelf(&self, place: &Place) -> Option<Shelf> {
        let written: Option<Vec<u8>> = self.0.ask(cmd("GET").arg(key(place))).await.ok()?;
        let written: Written = serde_json::from_slice(&written?).ok()?;
        let vary = written.vary.iter().map(|name| name.parse().ok()).collect::<Option<_>>()?;
        let copies = written.copies.into_iter().map(WrittenCopy::read).collect::<Option<_>>()?;
        Some(Shelf { vary, copies })
    }

    /// Keeps it for so long. What cannot be kept there is asked for once more: nothing waits for it.
    pub(super) async fn keep(&self, place: &Place, shelf: &Shelf, life: Duration) {
        let Some(written) = write(shelf).and_then(|written| serde_json::to_vec(&written).ok()) else {
            return;
        };
        let mut set = cmd("SET");
        drop(self.0.ask::<()>(set.arg(key(place)).arg(written).arg("PX").arg(milliseconds(life))).await);
    }

    pub(super) async fn forget(&self, place: &Place) {
        drop(self.0.ask::<()>(cmd("DEL").arg(key(place))).await);
    }
}

/// Of one length, and telling nothing of who asked for what.
fn key(place: &Place) -> String {
    let digest = Sha256::new().chain_update(&place.audience).chain_update([0]).chain_update(&place.path);
    format!("cache:{:x}", digest.finalize())
}

fn milliseconds(time: Duration) -> u64 {
    time.as_millis().try_into().unwrap_or(u64::MAX)
}

/// Nothing where a header is no text, which JSON could not hold.
fn write(shelf: &Shelf) -> Option<Written> {
    let vary = shelf.vary.iter().map(ToString::to_string).collect();
    let copies = shelf.copies.iter().map(WrittenCopy::of).collect::<Option<_>>()?;
    Some(Written { vary, copies })
}

impl WrittenCopy {
    fn of(copy: &Copy) -> Option<Self> {
        let text = |value: &HeaderValue| value.to_str().map(str::to_owned);
        let asked = copy.asked.iter().map(|value| value.as_ref().map(text).transpose());
        let headers = copy.headers.iter().map(|(name, value)| Ok((name.to_string(), text(value)?)));
        let age = i64::try_from(copy.made.elapsed().as_millis()).ok()?;
        Some(Self {
            asked: asked.collect::<Result<_, ToStrError>>().ok()?,
            headers: headers.collect::<Result<_, ToStrError>>().ok()?,
            body: STANDARD.encode(&copy.body),
            made_at: wall_now().as_millisecond() - age,
            fresh_for: milliseconds(copy.life.fresh),
            stale_while_renewed: milliseconds(copy.life.while_renewed),
            stale_if_error: milliseconds(copy.life.if_error),
        })
    }

    fn read(self) -> Option<Copy> {
        let asked = self.asked.into_iter().map(|text| text.map(HeaderValue::try_from).transpose());
        let headers = self.headers.into_iter().map(|(name, value)| {
            Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
        });
        // A clock that is behind has seen it made in its future.
        let age = u64::try_from(wall_now().as_millisecond() - self.made_at).unwrap_or_default();
        Some(Copy {
            asked: asked.collect::<Result<_, _>>().ok()?,
            headers: headers.collect::<Option<_>>()?,
            body: Bytes::from(STANDARD.decode(self.body).ok()?),
            made: Instant::now().checked_sub(Duration::from_millis(age))?,
            life: Life {
                fresh: Duration::from_millis(self.fresh_for),
                while_renewed: Duration::from_millis(self.stale_while_renewed),
                if_error: Duration::from_millis(self.stale_if_error),
            },
        })
    }
}
