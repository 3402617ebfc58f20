//! Connections to one process, each for one request after the other.
//!
//! hyper-util's pool keeps those of all hosts in one place and finds them by the host of each request: a fifth of what
//! passing a small answer on takes outside the kernel. Here the process is known already.

use std::{
    collections::VecDeque,
    error::Error,
    iter,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use axum::{
    BoxError,
    body::{Body, Bytes, HttpBody},
};
use hyper::{
    Request, Response, Uri,
    body::{Frame, Incoming, SizeHint},
    client::conn::http1::{self, SendRequest},
    rt::Executor,
};
use hyper_util::rt::TokioExecutor;
use quenty_platform::{client::Https, tls as platform_tls};
use tokio::time::{self, Sleep};
use tower::ServiceExt;

use super::Unreachable;

/// So many wait for work at most.
const MOST_IDLE: usize = 256;
/// What has waited longer is not used again: its other end may be gone without a word.
const LONGEST_IDLE: Duration = Duration::from_secs(60);
/// An answer of which nothing more comes for so long has no end: streams say something more often.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

type Connection = SendRequest<Body>;

/// Those that wait for work; who waits longest is first.
#[derive(Default)]
pub(super) struct Connections(Mutex<VecDeque<Idle>>);

struct Idle {
    connection: Connection,
    since: Instant,
}

/// The body of an answer; once all of it is read, its connection waits for work again.
struct Answer {
    body: Incoming,
    connection: Option<Connection>,
    home: Arc<Connections>,
    silence: Silence,
}

/// How long the next part of an answer is waited for. Most are here already and need no timer; else there is one, which
/// is set anew when it goes off and not with each part.
struct Silence {
    longest: Duration,
    since: Option<time::Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Connections {
    /// Sends a request whose URI is a path, on a connection that waits for work or on a new one to `origin`.
    ///
    /// # Errors
    /// When there is no connection, or it breaks.
    pub(super) async fn send(
        self: &Arc<Self>,
        connector: &Https,
        origin: &Uri,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, Unreachable> {
        loop {
            let waiting = self.take();
            let is_new = waiting.is_none();
            let mut connection = match waiting {
                Some(waiting) => waiting,
                None => Box::pin(connect(connector, origin)).await?,
            };
            match connection.try_send_request(request).await {
                Ok(response) => return Ok(self.lend(connection, response)),
                Err(mut error) => match error.take_message() {
                    // The process closed it while it waited: nothing was sent.
                    Some(unsent) if !is_new => request = unsent,
                    Some(_) => return Err(not_connected(&error.into_error())),
                    None => {
                        let error = error.into_error();
                        // hyper's word for a body that cannot be read any further.
                        let is_of_client = error.is_user();
                        let broken_off = || Unreachable::BrokenOff(error.to_string());
                        return Err(if is_of_client { Unreachable::Unfinished } else { broken_off() });
                    }
                },
            }
        }
    }

    fn lend(self: &Arc<Self>, connection: Connection, response: Response<Incoming>) -> Response<Body> {
        let home = Arc::clone(self);
        if response.body().is_end_stream() {
            home.take_back(connection);
            return response.map(Body::new);
        }
        response.map(|body| Body::new(Answer::new(body, connection, home, LONGEST_SILENCE)))
    }

    fn take_back(self: Arc<Self>, mut connection: Connection) {
        if connection.is_closed() {
            return;
        }
        if connection.is_ready() {
            return self.put(connection);
        }
        // An answer may end before its request is sent: such a connection is not for the next one yet.
        TokioExecutor::new().execute(async move {
            if connection.ready().await.is_ok() {
                self.put(connection);
            }
        });
    }

    fn put(&self, connection: Connection) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while idle.len() >= MOST_IDLE || idle.front().is_some_and(Idle::is_too_old) {
            idle.pop_front();
        }
        idle.push_back(Idle { connection, since: Instant::now() });
    }

    /// The one that waits shortest: the others may be needed no more.
    fn take(&self) -> Option<Connection> {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut waiting = iter::from_fn(|| idle.pop_back());
        waiting.find(|idle| !idle.connection.is_closed() && !idle.is_too_old()).map(|idle| idle.connection)
    }
}

impl Idle {
    fn is_too_old(&self) -> bool {
        self.since.elapsed() > LONGEST_IDLE
    }
}

async fn connect(connector: &Https, origin: &Uri) -> Result<Connection, Unreachable> {
    let stream = connector.clone().oneshot(origin.clone()).await.map_err(|error| not_connected(&*error))?;
    let (mut connection, work) = http1::handshake(stream).await.map_err(|error| not_connected(&error))?;
    // What breaks it is told to whoever waits for an answer.
    TokioExecutor::new().execute(async move { drop(work.await) });
    connection.ready().await.map_err(|error| not_connected(&error))?;
    Ok(connection)
}

fn not_connected(error: &(dyn Error + 'static)) -> Unreachable {
    Unreachable::NotConnected(platform_tls::told(error))
}

impl Answer {
    fn new(body: Incoming, connection: Connection, home: Arc<Connections>, longest: Duration) -> Self {
        let silence = Silence { longest, since: None, timer: None };
        Self { body, connection: Some(connection), home, silence }
    }
}

impl Silence {
    /// Whether it has lasted too long.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let end = *self.since.get_or_insert_with(time::Instant::now) + self.longest;
        let timer = self.timer.get_or_insert_with(|| Box::pin(time::sleep_until(end)));
        loop {
            ready!(timer.as_mut().poll(cx));
            if timer.deadline() >= end {
                return Poll::Ready(());
            }
            timer.as_mut().reset(end);
        }
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
            ready!(self.silence.poll(cx));
            return Poll::Ready(Some(Err("nothing more of the answer came".into())));
        };
        self.silence.since = None;
        let is_over = match &frame {
            None => true,
            // Nobody asks for more after trailers.
            Some(Ok(frame)) => frame.is_trailers() || self.body.is_end_stream(),
            Some(Err(_)) => false,
        };
        if let Some(connection) = self.connection.take_if(|_| is_over) {
            Arc::clone(&self.home).take_back(connection);
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    /// An answer that nobody reads, such as one after which the request is sent again, may have come as a whole.
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take().filter(Connection::is_ready) {
            self.home.put(connection);
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn an_answer_of_which_nothing_more_comes_ends_with_an_error() {
        let (near, mut far) = tokio::io::duplex(1024);
        let (mut connection, work) = http1::handshake(TokioIo::new(near)).await.unwrap();
        TokioExecutor::new().execute(async move { drop(work.await) });
        let asked = connection.send_request(Request::get("/").body(Body::empty()).unwrap());
        let begun = async {
            assert!(far.read(&mut [0; 1024]).await.unwrap() > 0);
            far.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nbegun").await.unwrap();
        };
        let body = tokio::join!(asked, begun).0.unwrap().into_body();
        let mut answer = Answer::new(body, connection, Arc::default(), Duration::from_millis(20));
        assert_eq!(answer.frame().await.unwrap().unwrap().into_data().unwrap(), "begun");
        let next =
            time::timeout(Duration::from_secs(20), answer.frame()).await.expect("it is not waited for");
        assert!(next.unwrap().is_err());
    }

    #[tokio::test]
    async fn what_has_waited_too_long_is_not_used_again() {
        let (near, _far) = tokio::io::duplex(64);
        let (connection, work) = http1::handshake(TokioIo::new(near)).await.unwrap();
        TokioExecutor::new().execute(async move { drop(work.await) });
        let connections = Connections::default();
        connections.put(connection);
        let connection = connections.take().unwrap();
        let since = Instant::now() - LONGEST_IDLE * 2;
        connections.0.lock().unwrap().push_back(Idle { connection, since });
        assert!(connections.take().is_none());
        assert!(connections.0.lock().unwrap().is_empty());
    }
}
