//! Where clients connect: in the clear or by TLS, with HTTP/1.1 or HTTP/2, until the gateway is asked to end.

use std::{
    collections::HashMap,
    convert::Infallible,
    io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::body::Body;
use hyper::{
    Request,
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use quenty_kernel::network;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

use crate::{
    Gateway,
    client_address::Client,
    edge,
    streams::{HANDED_ON, Streams},
    tls,
    unreadable::Telling,
};

/// How long running requests may take once nothing new is taken in.
const DRAIN: Duration = Duration::from_secs(10);
/// Requests of one connection at a time.
const MOST_STREAMS: u32 = 128;
/// Whether a client of HTTP/2 that says nothing is still there.
const PING_EVERY: Duration = Duration::from_secs(30);
/// One that is there and asks nothing is let go after so many times what a client of HTTP/1.1 has: its connection was
/// dearer to make.
const IDLE_HEADER_TIMEOUTS: u32 = 6;
/// Of all connections one address may have this part, so that no single one keeps all others out.
const PART_OF_ONE: usize = 10;

/// How many connections each address has; each network, of IPv6.
#[derive(Default)]
struct Peers(Mutex<HashMap<IpAddr, usize>>);

/// A connection that is counted, for as long as it lasts.
struct Counted {
    peers: Arc<Peers>,
    network: IpAddr,
}

impl Peers {
    /// Nothing where the address has as many already.
    fn admit(self: &Arc<Self>, address: IpAddr, most: usize) -> Option<Counted> {
        let network = network::of(address);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(network).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Counted { peers: Arc::clone(self), network })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.peers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.network);
            }
        }
    }
}

/// Serves until `stop`; then it is no longer ready, takes in what still comes for a while, and lets running requests
/// finish.
pub(crate) async fn serve(gateway: &Gateway, listener: TcpListener, stop: CancellationToken) {
    let (mut work, ending) = (JoinSet::new(), CancellationToken::new());
    let places = Arc::new(Semaphore::new(gateway.0.max_connections));
    let (peers, most_of_one) = (Arc::<Peers>::default(), (gateway.0.max_connections / PART_OF_ONE).max(1));
    let closing = async {
        stop.cancelled().await;
        gateway.drain();
        tokio::time::sleep(gateway.0.drain).await;
    };
    tokio::pin!(closing);
    loop {
        let accepted = tokio::select! {
            () = &mut closing => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let (place, (stream, peer)) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, or the client is gone already: neither ends the gateway.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        let address = peer.ip().to_canonical();
        // A proxy brings many, also one on this machine that nobody has told us of.
        let is_counted = !(address.is_loopback() || gateway.0.proxies.trusts(address));
        let counted = if is_counted { peers.admit(address, most_of_one) } else { None };
        if is_counted && counted.is_none() {
            metrics::counter!("quenty_gateway_connections_refused_total").increment(1);
            continue;
        }
        drop(stream.set_nodelay(true));
        let (gateway, ending) = (gateway.clone(), ending.clone());
        work.spawn(async move {
            connect(gateway, stream, peer, ending).await;
            drop((place, counted));
        });
        while work.try_join_next().is_some() {}
    }
    drop(listener);
    ending.cancel();
    let finishing = async {
        while work.join_next().await.is_some() {}
        gateway.0.cache.finish_renewals().await;
    };
    if tokio::time::timeout(DRAIN, finishing).await.is_err() {
        tracing::warn!("some requests were cut off after {DRAIN:?}");
    }
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(OwnedSemaphorePermit, (TcpStream, SocketAddr))> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    Ok((place, listener.accept().await?))
}

async fn connect(gateway: Gateway, stream: TcpStream, peer: SocketAddr, ending: CancellationToken) {
    let client = Client { address: peer.ip(), by_tls: gateway.0.tls.is_some() };
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(gateway.0.write_timeout));
    let stream = Box::pin(stream);
    let Some(acceptor) = gateway.0.tls.clone() else {
        return speak_http1(gateway, stream, client, ending).await;
    };
    // Who greets slowly, or is no client of TLS, is cut off like who sends no headers.
    let Ok(Ok(stream)) = tokio::time::timeout(gateway.0.header_timeout, acceptor.accept(stream)).await else {
        return;
    };
    if stream.get_ref().1.alpn_protocol() == Some(tls::HTTP_2) {
        speak_http2(gateway, stream, client, ending).await;
    } else {
        speak_http1(gateway, stream, client, ending).await;
    }
}

async fn speak_http1<S>(gateway: Gateway, stream: S, client: Client, ending: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    // The time for headers runs from the first moment, also for who sends nothing at all.
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(gateway.0.header_timeout)
        .max_buf_size(gateway.0.max_header_bytes);
    let answer = service_fn(move |request| answer(gateway.clone(), request, client));
    let mut connection = pin!(server.serve_connection(TokioIo::new(Telling::new(stream)), answer));
    // A client that breaks off is its own affair.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = ending.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    drop(connection.await);
}

async fn speak_http2<S>(gateway: Gateway, stream: S, client: Client, ending: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut server = http2::Builder::new(TokioExecutor::new());
    server
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(gateway.0.header_timeout)
        .max_concurrent_streams(MOST_STREAMS)
        .max_send_buf_size(HANDED_ON)
        .max_header_list_size(u32::try_from(gateway.0.max_header_bytes).unwrap_or(u32::MAX));
    let (idle, patience) = (gateway.0.header_timeout * IDLE_HEADER_TIMEOUTS, gateway.0.write_timeout);
    let streams = Arc::new(Streams::default());
    let opening = Arc::clone(&streams);
    let answer = service_fn(move |request| {
        let (stream, gateway) = (opening.begin(), gateway.clone());
        async move { answer(gateway, request, client).await.map(|response| stream.answered(response)) }
    });
    let mut connection = pin!(server.serve_connection(TokioIo::new(stream), answer));
    let is_over = tokio::select! {
        _ = connection.as_mut() => return,
        () = ending.cancelled() => false,
        () = streams.over(idle, patience) => true,
    };
    connection.as_mut().graceful_shutdown();
    if is_over {
        // What else runs on it ends; what is stuck, here or already handed on, is not waited for much longer.
        drop(tokio::time::timeout(patience, connection).await);
    } else {
        drop(connection.await);
    }
}

async fn answer(
    gateway: Gateway,
    request: Request<Incoming>,
    client: Client,
) -> Result<hyper::Response<Body>, Infallible> {
    Ok(edge::answer(&gateway, request.map(Body::new), client).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_connections_and_others_have_theirs() {
        let peers = Arc::<Peers>::default();
        let admit = |address: &str| peers.admit(address.parse().unwrap(), 2);
        let (first, second) = (admit("2001:db8::1").unwrap(), admit("2001:db8::2").unwrap());
        assert!(admit("2001:db8::3").is_none(), "its network has two");
        let other = admit("192.0.2.1").unwrap();
        drop(first);
        let third = admit("2001:db8::3").unwrap();
        drop((second, third, other));
        assert!(peers.0.lock().unwrap().is_empty(), "who is gone is forgotten");
    }
}
