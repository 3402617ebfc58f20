//! How many requests of a service run at a time; more are turned away before they make all of them slow.
//!
//! Below the ceiling of the settings the limit follows the service, as in Envoy's adaptive concurrency: when most answers
//! take too long, or cannot be given, it falls in proportion, from how many run; while they do not, it grows by its root.
//! What an answer usually takes is measured while few requests run, when nobody waits for another, and for each operation
//! by itself: some take long by nature. Files, which take as long as their senders, are neither timed nor kept out by it;
//! nor is what goes at its own pace (`x-own-pace`), as logins do that Auth slows down on purpose.
//!
//! Once half of the places are taken, nobody gets more than a quarter of them: who asks for more at a time than a service
//! can do keeps room for the others.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU16, AtomicU32, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::body::Body;
use hyper::{Response, StatusCode};
use quenty_kernel::{Failure, Kind};
use serde_json::Value;

use super::Unreachable;

/// So many may always run.
const LEAST: usize = 20;
/// The limit is looked at after so long, and so many answers.
const WINDOW: Duration = Duration::from_millis(200);
const ENOUGH: u32 = 20;
/// What was seen before tells nothing of now.
const LONGEST_WINDOW: Duration = Duration::from_secs(10);
/// A single answer that takes long changes little of what is usual.
const REMEMBERED: i64 = 32;
/// A service that does not answer in time is like one that takes twice as long as it may.
const CANNOT: f64 = 2.0;
/// Callers are counted by so many numbers; the few that have one in common share what one may have.
const CALLERS: usize = u8::MAX as usize + 1;

pub(crate) struct Gate {
    name: &'static str,
    most: usize,
    least: usize,
    /// How much longer than twice its usual time an answer may take.
    delay: Duration,
    limit: AtomicUsize,
    running: AtomicUsize,
    files: AtomicUsize,
    /// Of each caller, files among them.
    held: [AtomicU16; CALLERS],
    window: Mutex<Window>,
}

/// What was seen since the limit was last looked at.
struct Window {
    begun: Instant,
    /// When the limit last fell: what had entered before tells of what was before.
    fell_at: Instant,
    answers: u32,
    slow: u32,
    /// By how many times the slow ones took longer than they may, together.
    excess: f64,
    busiest: usize,
}

/// What an operation takes while few requests run.
#[derive(Debug, Default)]
pub(crate) struct Usual {
    /// 0 while that is not known.
    micros: AtomicU32,
    goes_at_its_own_pace: bool,
}

/// A request that has come in.
pub(crate) struct Place<'a> {
    counted: &'a AtomicUsize,
    held: &'a AtomicU16,
}

/// One try of a request.
pub(crate) struct Try<'a> {
    gate: &'a Gate,
    usual: &'a Usual,
    begun: Instant,
    is_quiet: bool,
    is_over: bool,
}

/// What a try tells of its service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Answered,
    /// 503: at once where something is away that it needs, late where it has too much to do.
    Unavailable,
    Cannot,
    Nothing,
}

impl Gate {
    /// At most so many requests at a time, and fewer while most answers take longer than twice their usual time and
    /// `delay`.
    pub(crate) fn new(name: &'static str, most: usize, delay: Duration) -> Self {
        let now = Instant::now();
        let gate = Self {
            name,
            most,
            least: LEAST.min(most),
            delay,
            limit: AtomicUsize::new(most),
            running: AtomicUsize::new(0),
            files: AtomicUsize::new(0),
            held: [const { AtomicU16::new(0) }; CALLERS],
            window: Mutex::new(Window::new(now, now)),
        };
        gate.show(most);
        gate
    }

    /// # Errors
    /// 503 when as many run already, 429 when that is near and the caller has more than its part of them.
    pub(crate) fn enter(&self, is_file: bool, caller: u8) -> Result<Place<'_>, Failure> {
        let (own, others) = if is_file { (&self.files, &self.running) } else { (&self.running, &self.files) };
        let limit = if is_file { self.most } else { self.limit.load(Ordering::Relaxed) };
        let place = Place { counted: own, held: &self.held[usize::from(caller)] };
        let before = own.fetch_add(1, Ordering::Relaxed);
        let held = usize::from(place.held.fetch_add(1, Ordering::Relaxed));
        if before >= limit || before + others.load(Ordering::Relaxed) >= self.most {
            let detail = format!("the {} service has all that it can do; try again", self.name);
            return Err(self.shed(Failure::new(Kind::Unavailable, "OVERLOADED", detail)));
        }
        if before > limit / 2 && held > limit / 4 {
            let detail = format!(
                "the {} service has much to do, and you ask for much at a time; ask for less",
                self.name
            );
            return Err(self.shed(Failure::new(Kind::TooManyRequests, "TOO_MANY_AT_ONCE", detail)));
        }
        Ok(place)
    }

    fn shed(&self, failure: Failure) -> Failure {
        metrics::counter!("quenty_gateway_shed_total", "upstream" => self.name).increment(1);
        failure.retry_after(1)
    }

    pub(crate) fn begin<'a>(&'a self, usual: &'a Usual, now: Instant) -> Try<'a> {
        let is_quiet = self.running.load(Ordering::Relaxed) <= self.least;
        Try { gate: self, usual, begun: now, is_quiet, is_over: false }
    }

    /// Counts an answer that took so many times as long as it may.
    fn count(&self, begun: Instant, times: f64, now: Instant) {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if begun < window.fell_at {
            return;
        }
        if now.duration_since(window.begun) > LONGEST_WINDOW {
            *window = Window::new(now, window.fell_at);
        }
        window.answers += 1;
        window.busiest = window.busiest.max(self.running.load(Ordering::Relaxed));
        if times > 1.0 {
            window.slow += 1;
            window.excess += times;
        }
        if window.answers < ENOUGH || now.duration_since(window.begun) < WINDOW {
            return;
        }
        let before = self.limit.load(Ordering::Relaxed);
        let after = window.limit_after(before).clamp(self.least, self.most);
        let fell_at = if after < before { now } else { window.fell_at };
        *window = Window::new(now, fell_at);
        self.limit.store(after, Ordering::Relaxed);
        drop(window);
        if after != before {
            self.show(after);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    fn show(&self, limit: usize) {
        metrics::gauge!("quenty_gateway_concurrency_limit", "upstream" => self.name).set(limit as f64);
    }
}

impl Window {
    fn new(begun: Instant, fell_at: Instant) -> Self {
        Self { begun, fell_at, answers: 0, slow: 0, excess: 0.0, busiest: 0 }
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive count of requests"
    )]
    fn limit_after(&self, limit: usize) -> usize {
        // So few make nobody slow: something else does.
        if self.slow * 2 > self.answers && self.busiest > LEAST {
            let share = (f64::from(self.slow) / self.excess).clamp(0.5, 0.9);
            return (self.busiest.min(limit) as f64 * share) as usize;
        }
        limit + limit.isqrt()
    }
}

impl Usual {
    /// Of the operation that is described.
    pub(crate) fn of(operation: &Value) -> Self {
        Self { goes_at_its_own_pace: operation["x-own-pace"] == true, ..Self::default() }
    }

    fn learn(&self, took: Duration) {
        if self.goes_at_its_own_pace {
            return;
        }
        let (known, took) = (i64::from(self.micros.load(Ordering::Relaxed)), micros(took));
        let learnt = if known == 0 { took } else { known + (took - known) / REMEMBERED };
        self.micros.store(u32::try_from(learnt.max(1)).unwrap_or(u32::MAX), Ordering::Relaxed);
    }

    fn known(&self) -> Option<Duration> {
        let known = self.micros.load(Ordering::Relaxed);
        (known > 0).then(|| Duration::from_micros(known.into()))
    }
}

fn micros(time: Duration) -> i64 {
    time.as_micros().try_into().unwrap_or(i64::MAX)
}

impl Try<'_> {
    pub(crate) fn end(mut self, outcome: &Result<Response<Body>, Unreachable>, now: Instant) {
        self.tell(Told::by(outcome), now);
    }

    /// Nothing while it is not known what is usual.
    fn may_take(&self) -> Option<Duration> {
        self.usual.known().map(|usual| usual * 2 + self.gate.delay)
    }

    fn tell(&mut self, told: Told, now: Instant) {
        self.is_over = true;
        let took = now.duration_since(self.begun);
        let times = self.may_take().map(|may| took.as_secs_f64() / may.as_secs_f64());
        match told {
            Told::Nothing => {}
            // What is usual is not known yet: then it was not slow.
            Told::Answered => self.gate.count(self.begun, times.unwrap_or_default(), now),
            Told::Unavailable => {
                if let Some(late) = times.filter(|times| *times > 1.0) {
                    self.gate.count(self.begun, late, now);
                }
            }
            Told::Cannot => self.gate.count(self.begun, CANNOT, now),
        }
        if told == Told::Answered && self.is_quiet {
            self.usual.learn(took);
        }
    }
}

impl Told {
    fn by(outcome: &Result<Response<Body>, Unreachable>) -> Self {
        match outcome {
            Ok(response) => match response.status() {
                StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
                StatusCode::GATEWAY_TIMEOUT => Self::Cannot,
                _ => Self::Answered,
            },
            Err(Unreachable::TooSlow) => Self::Cannot,
            // Of a process, not of how much there is to do.
            Err(_) => Self::Nothing,
        }
    }
}

impl Drop for Try<'_> {
    /// A client that goes away tells that it had to wait for long, or nothing.
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let now = Instant::now();
        if self.may_take().is_some_and(|may| now.saturating_duration_since(self.begun) > may) {
            self.tell(Told::Cannot, now);
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.counted.fetch_sub(1, Ordering::Relaxed);
        self.held.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use serde_json::json;

    use super::*;

    const MOST: usize = 1000;
    const DELAY: Duration = Duration::from_millis(100);

    /// A service that works on so many requests at a time, and those who ask it; its time goes by in milliseconds.
    struct Service<'a> {
        gate: &'a Gate,
        usual: &'a Usual,
        workers: usize,
        now: Instant,
        /// Each with what is left to do.
        entered: VecDeque<(Place<'a>, Try<'a>, u32)>,
        took: Vec<Duration>,
        refused: usize,
        /// They are many.
        caller: u8,
    }

    impl<'a> Service<'a> {
        fn new(gate: &'a Gate, usual: &'a Usual, workers: usize) -> Self {
            let now = Instant::now();
            Self {
                gate,
                usual,
                workers,
                now,
                entered: VecDeque::new(),
                took: Vec::new(),
                refused: 0,
                caller: 0,
            }
        }

        /// So many come in this millisecond, each with so much to do.
        fn pass(&mut self, coming: usize, takes: u32) {
            for _ in 0..coming {
                self.caller = self.caller.wrapping_add(1);
                match self.gate.enter(false, self.caller) {
                    Ok(place) => {
                        let begun = self.gate.begin(self.usual, self.now);
                        self.entered.push_back((place, begun, takes));
                    }
                    Err(_) => self.refused += 1,
                }
            }
            self.now += Duration::from_millis(1);
            for (_, _, left) in self.entered.iter_mut().take(self.workers) {
                *left -= 1;
            }
            for _ in 0..self.entered.len() {
                let Some((place, mut begun, left)) = self.entered.pop_front() else { break };
                if left > 0 {
                    self.entered.push_back((place, begun, left));
                    continue;
                }
                self.took.push(self.now - begun.begun);
                begun.tell(Told::Answered, self.now);
            }
        }

        /// For so long, so many in each hundred milliseconds, evenly.
        fn run(&mut self, milliseconds: usize, in_each_hundred: usize, takes: u32) {
            (self.took, self.refused) = (Vec::new(), 0);
            for at in 0..milliseconds {
                self.pass((at + 1) * in_each_hundred / 100 - at * in_each_hundred / 100, takes);
            }
        }

        fn slowest(&self) -> Duration {
            self.took.iter().max().copied().unwrap_or_default()
        }
    }

    fn limit(gate: &Gate) -> usize {
        gate.limit.load(Ordering::Relaxed)
    }

    #[test]
    fn under_three_times_what_a_service_can_do_those_let_in_stay_fast_and_it_does_all_that_it_can() {
        let (gate, usual) = (Gate::new("order", MOST, DELAY), Usual::default());
        // A thousand a second.
        let mut service = Service::new(&gate, &usual, 10);
        service.run(1000, 20, 10);
        assert_eq!((service.refused, limit(&gate)), (0, MOST));
        service.run(20_000, 300, 10);
        service.run(10_000, 300, 10);
        assert!(service.slowest() < Duration::from_millis(250), "{:?}, {}", service.slowest(), limit(&gate));
        assert!(service.took.len() > 9_900, "{} of 10000", service.took.len());
        assert!(service.refused > 19_000, "{}", service.refused);
        // It is over: all are let in again, however many come at once.
        service.run(1000, 50, 10);
        service.run(20_000, 50, 10);
        assert_eq!((service.refused, limit(&gate)), (0, MOST));
        // While it is not, but the service can do ten times as much.
        service.run(10_000, 300, 10);
        assert!(service.refused > 0);
        service.workers = 100;
        service.run(20_000, 900, 10);
        service.run(1000, 900, 10);
        assert_eq!(service.refused, 0, "{}", limit(&gate));
    }

    #[test]
    fn hiccups_of_a_quiet_service_are_no_overload() {
        for quick in [1, 3] {
            let (gate, usual) = (Gate::new("order", MOST, DELAY), Usual::default());
            let mut service = Service::new(&gate, &usual, 50);
            for round in 0..100 {
                service.run(100, 50, quick);
                service.workers = 0;
                service.run(20 + round % 30, 50, quick);
                service.workers = 50;
                assert_eq!((service.refused, limit(&gate)), (0, MOST));
            }
        }
    }

    #[test]
    fn what_takes_long_by_nature_is_not_slow() {
        let (gate, quick, long) = (Gate::new("order", MOST, DELAY), Usual::default(), Usual::default());
        let mut now = Instant::now();
        for round in 0..2000 {
            now += Duration::from_millis(10);
            // Reports, five times as many as what is quick.
            for (usual, took) in [(&quick, 2), (&long, 3000), (&long, 3500), (&long, 2500), (&long, 2900)] {
                let took = Duration::from_millis(took + round % 3);
                Try { gate: &gate, usual, begun: now, is_quiet: round < 20, is_over: false }
                    .tell(Told::Answered, now + took);
            }
        }
        assert_eq!(limit(&gate), MOST);
    }

    #[test]
    fn what_goes_at_its_own_pace_is_never_slow() {
        let (gate, login) = (Gate::new("auth", MOST, DELAY), Usual::of(&json!({"x-own-pace": true})));
        let busy: Vec<_> = (0..2 * LEAST).map_while(|_| gate.enter(false, 0).ok()).collect();
        let mut now = Instant::now();
        for took in std::iter::repeat_n(100, 100).chain(std::iter::repeat_n(1100, 1000)) {
            now += Duration::from_millis(10);
            Try { gate: &gate, usual: &login, begun: now, is_quiet: true, is_over: false }
                .tell(Told::Answered, now + Duration::from_millis(took));
        }
        drop(busy);
        assert_eq!(limit(&gate), MOST);
    }

    #[test]
    fn a_service_that_cannot_answer_is_left_the_least_and_files_are_not_counted_with_it() {
        let (gate, usual) = (Gate::new("order", 100, DELAY), Usual::default());
        let mut now = Instant::now();
        let busy: Vec<_> = (0..2 * LEAST).map_while(|_| gate.enter(false, 0).ok()).collect();
        for _ in 0..1000 {
            let mut one = gate.begin(&usual, now);
            now += Duration::from_millis(2);
            one.tell(Told::Cannot, now);
        }
        drop(busy);
        assert_eq!(limit(&gate), LEAST);
        let files: Vec<_> = (0..80).map_while(|caller| gate.enter(true, caller).ok()).collect();
        let others: Vec<_> = (0..=u8::MAX).map_while(|caller| gate.enter(false, caller).ok()).collect();
        assert_eq!((files.len(), others.len()), (80, LEAST), "a hundred of both at most");
        assert!(gate.enter(true, 99).is_err());
        assert_eq!(usual.known(), None, "nothing is learnt from what failed");
    }

    #[test]
    fn a_503_now_and_then_or_at_once_is_no_overload() {
        let (gate, usual) = (Gate::new("order", MOST, DELAY), Usual::default());
        let _busy: Vec<_> = (0..2 * LEAST).map_while(|_| gate.enter(false, 0).ok()).collect();
        let mut now = Instant::now();
        for round in 0..10_000 {
            now += Duration::from_millis(2);
            let told = match round % 100 {
                0 => Told::Cannot,
                1..50 => Told::Unavailable,
                _ => Told::Answered,
            };
            gate.begin(&usual, now).tell(told, now + Duration::from_millis(1));
        }
        assert_eq!(usual.known(), None, "it was never quiet");
        assert_eq!(limit(&gate), MOST);
    }

    #[test]
    fn clients_that_wait_no_longer_tell_of_it() {
        let (gate, usual) = (Gate::new("order", MOST, Duration::ZERO), Usual::default());
        usual.learn(Duration::from_micros(1));
        let _busy: Vec<_> = (0..2 * LEAST).map_while(|_| gate.enter(false, 0).ok()).collect();
        let all: Vec<_> =
            (0..u64::from(ENOUGH)).map(|_| gate.begin(&usual, Instant::now() - WINDOW * 2)).collect();
        gate.window.lock().unwrap().begun -= WINDOW * 3;
        gate.window.lock().unwrap().fell_at -= WINDOW * 3;
        drop(all);
        assert!(limit(&gate) < MOST);
    }

    #[test]
    fn a_small_ceiling_is_its_own_least() {
        let gate = Gate::new("order", 2, DELAY);
        let both = (gate.enter(false, 0), gate.enter(false, 0));
        assert!(both.0.is_ok() && both.1.is_ok());
        let Err(refused) = gate.enter(false, 0) else { panic!("a third") };
        assert_eq!((refused.code, refused.retry_after), ("OVERLOADED", Some(1)));
        drop(both);
        assert!(gate.enter(false, 0).is_ok());
    }

    #[test]
    fn one_caller_may_have_half_of_the_places_and_leaves_room_for_others() {
        for is_file in [false, true] {
            let gate = Gate::new("order", 100, DELAY);
            let greedy: Vec<_> = (0..).map_while(|_| gate.enter(is_file, 7).ok()).collect();
            assert_eq!(greedy.len(), 51);
            let Err(refused) = gate.enter(is_file, 7) else { panic!("more than half") };
            assert_eq!((refused.code, refused.retry_after), ("TOO_MANY_AT_ONCE", Some(1)));
            let others: Vec<_> =
                (100..=u8::MAX).map_while(|caller| gate.enter(is_file, caller).ok()).collect();
            assert_eq!(others.len(), 49, "all that is left");
            drop(greedy);
            assert!(gate.enter(is_file, 7).is_ok());
        }
    }
}
