//! What gateways keep together in Redis, as long as it may be shown: what one of them has asked for, the others need not
//! ask for again. While Redis is away each keeps its own.

use std::time::{Duration, Instant};

use axum::body::Bytes;
use base64::{Engine, engine::general_purpose::STANDARD};
use hyper::header::{HeaderName, HeaderValue, ToStrError};
use quenty_platform::redis::{Redis, Script, cmd};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Place,
    life::Life,
    shelf::{Copy, Shelf},
};

/// Together: what is written between the two would be taken for as old as what was there before.
const READ: &str = "return {redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])}";
/// So long a copy may be on its way into Redis; its gateway waits no longer.
const ON_ITS_WAY: Duration = Duration::from_millis(250);

pub(super) struct Shared {
    redis: Redis,
    read: Script,
}

/// A shelf as Redis holds it. Another version of the gateway that cannot read it asks the service instead.
#[derive(Serialize, Deserialize)]
struct Written {
    /// How long Redis keeps it, in milliseconds: what is left of that tells since when, by no clock but Redis's own.
    kept_for: u64,
    vary: Vec<String>,
    copies: Vec<WrittenCopy>,
}

#[derive(Serialize, Deserialize)]
struct WrittenCopy {
    asked: Vec<Option<String>>,
    headers: Vec<(String, String)>,
    /// In base64.
    body: String,
    /// When it was written, at least, in milliseconds.
    age: u64,
    /// In milliseconds.
    fresh_for: u64,
    #[serde(default)]
    stale_while_renewed: u64,
    #[serde(default)]
    stale_if_error: u64,
}

impl Shared {
    pub(super) fn new(redis: Redis) -> Self {
        Self { redis, read: Script::new(READ) }
    }

    pub(super) async fn shelf(&self, place: &Place) -> Option<Shelf> {
        let asked = Instant::now();
        let (written, left): (Option<Vec<u8>>, i64) =
            self.redis.run(&self.read.key(key(place))).await.ok()?;
        let written: Written = serde_json::from_slice(&written?).ok()?;
        let lay = Duration::from_millis(written.kept_for.checked_sub(u64::try_from(left).ok()?)?);
        let vary = written.vary.iter().map(|name| name.parse().ok()).collect::<Option<_>>()?;
        let copies = written.copies.into_iter();
        let copies = copies.map(|copy| copy.read(asked.checked_sub(lay)?)).collect::<Option<_>>()?;
        Some(Shelf { vary, copies })
    }

    /// Keeps it for so long. What cannot be kept there is asked for once more: nothing waits for it.
    pub(super) async fn keep(&self, place: &Place, shelf: &Shelf, life: Duration) {
        let kept_for = milliseconds(life);
        let Some(written) = write(shelf, kept_for).and_then(|written| serde_json::to_vec(&written).ok())
        else {
            return;
        };
        let mut set = cmd("SET");
        drop(self.redis.ask::<()>(set.arg(key(place)).arg(written).arg("PX").arg(kept_for)).await);
    }

    pub(super) async fn forget(&self, place: &Place) {
        drop(self.redis.ask::<()>(cmd("DEL").arg(key(place))).await);
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
fn write(shelf: &Shelf, kept_for: u64) -> Option<Written> {
    let vary = shelf.vary.iter().map(ToString::to_string).collect();
    let copies = shelf.copies.iter().map(WrittenCopy::of).collect::<Option<_>>()?;
    Some(Written { kept_for, vary, copies })
}

impl WrittenCopy {
    fn of(copy: &Copy) -> Option<Self> {
        let text = |value: &HeaderValue| value.to_str().map(str::to_owned);
        let asked = copy.asked.iter().map(|value| value.as_ref().map(text).transpose());
        let headers = copy.headers.iter().map(|(name, value)| Ok((name.to_string(), text(value)?)));
        Some(Self {
            asked: asked.collect::<Result<_, ToStrError>>().ok()?,
            headers: headers.collect::<Result<_, ToStrError>>().ok()?,
            body: STANDARD.encode(&copy.body),
            age: milliseconds(copy.made.elapsed() + ON_ITS_WAY),
            fresh_for: milliseconds(copy.life.fresh),
            stale_while_renewed: milliseconds(copy.life.while_renewed),
            stale_if_error: milliseconds(copy.life.if_error),
        })
    }

    /// As it was written then.
    fn read(self, written: Instant) -> Option<Copy> {
        let asked = self.asked.into_iter().map(|text| text.map(HeaderValue::try_from).transpose());
        let headers = self.headers.into_iter().map(|(name, value)| {
            Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
        });
        Some(Copy {
            asked: asked.collect::<Result<_, _>>().ok()?,
            headers: headers.collect::<Option<_>>()?,
            body: Bytes::from(STANDARD.decode(self.body).ok()?),
            made: written.checked_sub(Duration::from_millis(self.age))?,
            life: Life {
                fresh: Duration::from_millis(self.fresh_for),
                while_renewed: Duration::from_millis(self.stale_while_renewed),
                if_error: Duration::from_millis(self.stale_if_error),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use hyper::HeaderMap;

    use super::*;

    #[test]
    fn a_copy_is_never_taken_for_newer_than_it_is() {
        let minute = Duration::from_secs(60);
        let life = Life { fresh: minute, while_renewed: minute, if_error: minute };
        let made = Instant::now();
        let copy = Copy { asked: Vec::new(), headers: HeaderMap::new(), body: Bytes::new(), made, life };
        let then = Instant::now();
        let read = WrittenCopy::of(&copy).unwrap().read(then).unwrap();
        assert!(read.made <= made && read.life == life, "{:?}", read.made - made);
    }
}
