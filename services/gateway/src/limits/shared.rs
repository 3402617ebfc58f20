//! What was taken anywhere, in the Redis that all gateways share: the same algorithm as in [`super::gcra`], run where
//! the counts are kept.
//!
//! Changes, logins and files are counted one by one. Of reads each gateway takes some beforehand, so that most of them
//! ask nobody: a caller may read as many more than its quota as that, for each gateway. While Redis is away, each gateway
//! counts for itself.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use quenty_platform::redis::{Redis, RedisAway, Script};

use super::{
    Class, Principal,
    gcra::{Quota, Taken},
    local::Local,
};

/// `KEYS[1]` lives until all that was taken has come back: no clock is read, so none can differ. It holds by how many
/// microseconds it lives too long, for it can only live whole milliseconds; and no longer than the window, which may have
/// become shorter. `ARGV`: how long one takes to come back, the
/// whole window (both in microseconds), what a request costs, and how much is taken if there is as much. Gives what was
/// taken, what is left, when all is there again, and how long to wait where it was nothing (both in microseconds).
const TAKE: &str = r"
local each, window, cost, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local lives, owed = redis.call('PTTL', KEYS[1]), 0
if lives > 0 then
    owed = math.max(lives * 1000 - tonumber(redis.call('GET', KEYS[1])), 0)
    if owed > window then
        owed, lives = window, math.ceil(window / 1000)
        redis.call('SET', KEYS[1], string.format('%.0f', lives * 1000 - owed), 'PX', lives)
    end
end
local free = math.max(math.floor((window - owed) / each), 0)
if free < cost then
    return {0, free, math.floor(owed), math.ceil(owed + each * cost - window)}
end
local taken = math.min(most, free)
owed = owed + each * taken
lives = math.ceil(owed / 1000)
redis.call('SET', KEYS[1], string.format('%.0f', lives * 1000 - owed), 'PX', lives)
return {taken, free - taken, math.floor(owed), 0}
";
/// Taken beforehand is this part of a quota, and no more than so many.
const PART: u32 = 50;
const MOST_BEFOREHAND: u32 = 100;
/// What was taken beforehand and is not used by then is lost to its caller.
const LEASE: Duration = Duration::from_secs(1);
const MOST_LEASES: usize = 100_000;

/// The counts that all gateways share.
pub(super) struct Shared {
    redis: Redis,
    take: Script,
    leases: Mutex<HashMap<String, Lease>>,
    meanwhile: Local,
}

/// What a caller may still do without anybody being asked.
struct Lease {
    left: u32,
    /// In the shared count, when the lease was taken.
    beyond: Taken,
    until: Instant,
    /// Whether somebody asks for the next: who comes meanwhile asks for no more than it needs.
    is_asked_for: bool,
}

impl Shared {
    pub(super) fn new(redis: Redis) -> Self {
        Self { redis, take: Script::new(TAKE), leases: Mutex::default(), meanwhile: Local::default() }
    }

    pub(super) async fn take(&self, quota: &Quota, class: Class, who: &Principal, cost: u32) -> Taken {
        let key = format!("limits:{}:{who}", class.name());
        // Asking is on the heap, for most reads ask nobody.
        let taken = match class {
            Class::Auth | Class::Write | Class::Bulk => Box::pin(self.ask(&key, quota, cost, cost)).await,
            Class::Public | Class::Read => self.take_leased(key, quota, cost).await,
        };
        match taken {
            Ok((_, taken)) => taken,
            Err(_) => self.meanwhile.take(quota, &(class, who), cost),
        }
    }

    async fn take_leased(&self, key: String, quota: &Quota, cost: u32) -> Result<(u32, Taken), RedisAway> {
        if let Some(taken) = self.of_lease(&key, cost) {
            return Ok((0, taken));
        }
        if !self.begins_to_ask(&key) {
            return Box::pin(self.ask(&key, quota, cost, cost)).await;
        }
        let most = (quota.requests() / PART).clamp(1, MOST_BEFOREHAND).max(cost);
        let asked = Box::pin(self.ask(&key, quota, cost, most)).await;
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let before = leases.remove(&key).filter(|lease| lease.until > now).map_or(0, |lease| lease.left);
        let (taken, beyond) = asked?;
        let left = before + taken.saturating_sub(cost);
        if left > 0 {
            leases.insert(key, Lease { left, beyond, until: now + LEASE, is_asked_for: false });
        }
        Ok((taken, Taken { left: beyond.left.saturating_add(left), ..beyond }))
    }

    /// Whether nobody else does.
    fn begins_to_ask(&self, key: &str) -> bool {
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if let Some(lease) = leases.get_mut(key).filter(|lease| lease.until > now) {
            return !std::mem::replace(&mut lease.is_asked_for, true);
        }
        if leases.len() >= MOST_LEASES {
            leases.retain(|_, lease| lease.until > now);
        }
        let beyond = Taken { left: 0, full_again: Duration::ZERO, wait: None };
        leases.insert(key.to_owned(), Lease { left: 0, beyond, until: now + LEASE, is_asked_for: true });
        true
    }

    fn of_lease(&self, key: &str, cost: u32) -> Option<Taken> {
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        let lease = leases.get_mut(key).filter(|lease| lease.until > Instant::now())?;
        lease.left = lease.left.checked_sub(cost)?;
        Some(Taken { left: lease.beyond.left.saturating_add(lease.left), wait: None, ..lease.beyond })
    }

    /// How much was taken, and what that leaves.
    async fn ask(&self, key: &str, quota: &Quota, cost: u32, most: u32) -> Result<(u32, Taken), RedisAway> {
        let window = quota.window().as_secs_f64() * 1e6;
        let mut script = self.take.prepare_invoke();
        script.key(key).arg(window / f64::from(quota.requests())).arg(window).arg(cost).arg(most);
        let (taken, left, full_again, wait): (u32, u32, u64, u64) = self.redis.run(&script).await?;
        let wait = (taken == 0).then(|| Duration::from_micros(wait));
        Ok((taken, Taken { left, full_again: Duration::from_micros(full_again), wait }))
    }
}
