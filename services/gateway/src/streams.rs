//! What a client of HTTP/2 has under way on its connection. Such a client answers pings without meaning to: whether it
//! still asks, and still reads, is seen by its requests alone.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::{
    Response,
    body::{Frame, SizeHint},
};

/// Answers are handed on in pieces of so many bytes, a frame each: by larger ones nobody could tell who reads slowly from
/// who does not read at all.
const PIECE: usize = 16 * 1024;
/// So much of an answer waits in the connection itself, past what is seen here.
pub(crate) const HANDED_ON: usize = 4 * PIECE;

/// The requests of one connection.
pub(crate) struct Streams(Mutex<State>);

struct State {
    open: usize,
    begun: u64,
    /// Since when a piece of an answer waits for its client to make room for it.
    unread: BTreeMap<u64, Instant>,
    /// When a request last began or ended.
    moved: Instant,
}

/// A request under way.
pub(crate) struct Stream {
    streams: Arc<Streams>,
    number: u64,
}

/// An answer on its way.
struct Answer {
    body: Body,
    /// Of the last piece that its service sent.
    rest: Bytes,
    stream: Stream,
}

impl Default for Streams {
    fn default() -> Self {
        Self(Mutex::new(State { open: 0, begun: 0, unread: BTreeMap::new(), moved: Instant::now() }))
    }
}

impl Streams {
    pub(crate) fn begin(self: &Arc<Self>) -> Stream {
        let mut state = self.state();
        state.open += 1;
        state.begun += 1;
        state.moved = Instant::now();
        Stream { streams: Arc::clone(self), number: state.begun }
    }

    /// Waits until nothing has been asked for `idle`, or nothing been taken of an answer for `patience`.
    pub(crate) async fn over(&self, idle: Duration, patience: Duration) {
        loop {
            match self.left(idle, patience) {
                Some(Duration::ZERO) => return,
                // Nobody says when something else comes first.
                left => tokio::time::sleep(left.map_or(patience, |left| left.min(patience))).await,
            }
        }
    }

    /// How long the connection has, if nothing happens; nothing is known while services have not answered.
    fn left(&self, idle: Duration, patience: Duration) -> Option<Duration> {
        let state = self.state();
        if state.open == 0 {
            return Some(idle.saturating_sub(state.moved.elapsed()));
        }
        state.unread.values().min().map(|since| patience.saturating_sub(since.elapsed()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream {
    /// The answer to its request, until whose end it lasts.
    pub(crate) fn answered(self, response: Response<Body>) -> Response<Body> {
        response.map(|body| Body::new(Answer { body, rest: Bytes::new(), stream: self }))
    }

    fn handed_on(&self) {
        self.streams.state().unread.insert(self.number, Instant::now());
    }

    fn taken(&self) {
        self.streams.state().unread.remove(&self.number);
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut state = self.streams.state();
        state.unread.remove(&self.number);
        state.open -= 1;
        state.moved = Instant::now();
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    /// hyper asks for another piece once there is room for the one before.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.stream.taken();
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                end => return Poll::Ready(end),
            }
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        self.stream.handed_on();
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, left) = (self.rest.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(left.lower() + rest);
        if let Some(upper) = left.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(1);
    const LONG: Duration = Duration::from_secs(3600);

    #[test]
    fn one_answer_that_nobody_takes_is_seen_beside_others_that_are_taken() {
        let streams = Arc::new(Streams::default());
        let (stuck, busy) = (streams.begin(), streams.begin());
        assert_eq!(streams.left(LONG, LONG), None, "their services have not answered yet");
        stuck.handed_on();
        std::thread::sleep(SHORT * 2);
        for _ in 0..3 {
            busy.handed_on();
            busy.taken();
            drop(streams.begin());
        }
        assert_eq!(streams.left(LONG, SHORT), Some(Duration::ZERO));
        stuck.taken();
        assert_eq!(streams.left(LONG, SHORT), None);
        drop((stuck, busy));
        assert!(streams.left(LONG, SHORT) > Some(SHORT), "it is idle");
    }
}
