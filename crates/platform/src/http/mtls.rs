//! The listener of a service between services: TLS both ways, on the socket that axum serves.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, connect_info::Connected},
    http::Request,
    middleware::{Next, from_fn},
    serve::{IncomingStream, Listener},
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{Id, JoinSet},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::CertificateDer},
    server::TlsStream,
};

/// Who greets slower is no sibling.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);
/// Handshakes under way; who comes beyond them waits to be accepted. Siblings keep their connections.
const HANDSHAKES_AT_ONCE: usize = 2_048;
/// Of these, those of one address: what it begins beside them is closed at once, or who says nothing would have all. A
/// gateway that finds a process again may begin as many as it has requests of a service at a time, which are 1,000.
const HANDSHAKES_OF_ONE: usize = 1_024;
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Takes in who shows a certificate of the platform's authority; handshakes run beside each other.
pub(crate) struct MutualTls {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    greeting: JoinSet<Option<(TlsStream<TcpStream>, SocketAddr)>>,
    /// Whose handshakes these are.
    of: HashMap<Id, IpAddr>,
    at_once: usize,
    of_one: usize,
}

/// Who is at the other end.
#[derive(Debug, Clone)]
struct Peer {
    address: SocketAddr,
    certificate: Option<PeerCertificate>,
}

/// What the process at the other end has shown; a request that came by TLS has it among its extensions.
#[derive(Debug, Clone)]
pub(crate) struct PeerCertificate(pub(crate) Arc<CertificateDer<'static>>);

impl MutualTls {
    pub(crate) fn new(listener: TcpListener, config: ServerConfig) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (at_once, of_one) = (HANDSHAKES_AT_ONCE, HANDSHAKES_OF_ONE);
        Self { listener, acceptor, greeting: JoinSet::new(), of: HashMap::new(), at_once, of_one }
    }

    fn greet(&mut self, stream: TcpStream, address: SocketAddr) {
        if self.of.values().filter(|of| **of == address.ip()).count() >= self.of_one {
            tracing::debug!(%address, "who has too many handshakes under way was refused");
            return;
        }
        let acceptor = self.acceptor.clone();
        let task = self.greeting.spawn(async move {
            drop(stream.set_nodelay(true));
            match tokio::time::timeout(HANDSHAKE_LIMIT, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => Some((stream, address)),
                Ok(Err(error)) => {
                    tracing::debug!(%address, %error, "who is no service of the platform was refused");
                    None
                }
                Err(_) => None,
            }
        });
        self.of.insert(task.id(), address.ip());
    }
}

impl Listener for MutualTls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            tokio::select! {
                accepted = self.listener.accept(), if self.greeting.len() < self.at_once => match accepted {
                    Ok((stream, address)) => self.greet(stream, address),
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(ended) = self.greeting.join_next_with_id() => {
                    let (id, greeted) = ended.unwrap_or_else(|error| (error.id(), None));
                    self.of.remove(&id);
                    if let Some(greeted) = greeted {
                        return greeted;
                    }
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, MutualTls>> for Peer {
    fn connect_info(stream: IncomingStream<'_, MutualTls>) -> Self {
        let (_, connection) = stream.io().get_ref();
        let shown = connection.peer_certificates().and_then(<[_]>::first);
        Self {
            address: *stream.remote_addr(),
            certificate: shown.map(|certificate| PeerCertificate(Arc::new(certificate.clone().into_owned()))),
        }
    }
}

/// Serves until `stop`, as [`axum::serve`] does without TLS: handlers find the same address of the peer.
pub(crate) async fn serve(
    listener: MutualTls,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let router = router.layer(from_fn(async |mut request: Request<Body>, next: Next| {
        if let Some(ConnectInfo(peer)) = request.extensions_mut().remove::<ConnectInfo<Peer>>() {
            request.extensions_mut().insert(ConnectInfo(peer.address));
            if let Some(certificate) = peer.certificate {
                request.extensions_mut().insert(certificate);
            }
        }
        next.run(request).await
    }));
    let service = router.into_make_service_with_connect_info::<Peer>();
    axum::serve(listener, service).with_graceful_shutdown(stop).await
}

#[cfg(test)]
mod tests {
    use quenty_testkit::{certificates::Authority, scratch_dir::ScratchDir};
    use tokio::net::TcpSocket;
    use tokio_rustls::TlsConnector;

    use super::*;
    use crate::{
        settings::{CHASSIS, Settings},
        tls,
    };

    async fn listener(folder: &ScratchDir) -> (MutualTls, Settings) {
        let own = Authority::new(folder.path()).unwrap().issue(&["probe"]).unwrap();
        let settings = Settings::load(&[CHASSIS], None, std::iter::empty()).unwrap();
        let settings = settings
            .with("service_ca_file", own.authority)
            .with("service_certificate_file", own.certificate)
            .with("service_key_file", own.key);
        let config = tls::of_services(&settings).unwrap().unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        // All connect before anybody is accepted: the usual room for them is smaller.
        let listener = socket.listen(1024).unwrap();
        // Fewer than there are: each takes two of a process's open files here.
        (MutualTls { at_once: 256, of_one: 128, ..MutualTls::new(listener, config) }, settings)
    }

    /// From 127.0.0.`last`.
    async fn connect(last: u8, to: SocketAddr) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, last], 0))).unwrap();
        socket.connect(to).await.unwrap()
    }

    #[tokio::test]
    async fn who_connects_and_says_nothing_has_so_many_handshakes_and_no_more() {
        let folder = ScratchDir::new("quenty-handshakes").unwrap();
        let (mut listener, _) = listener(&folder).await;
        let address = listener.local_addr().unwrap();
        let mut silent = Vec::new();
        let (at_once, of_one) = (listener.at_once, listener.of_one);
        for (last, count, most) in [(1, of_one + 8, of_one), (2, of_one, of_one * 2), (3, 8, at_once)] {
            for _ in 0..count {
                silent.push(connect(last, address).await);
            }
            for _ in 0..5 {
                let greeted = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
                assert!(greeted.is_err(), "nobody has said anything");
                assert!(listener.greeting.len() <= most, "{}", listener.greeting.len());
                assert_eq!(listener.of.len(), listener.greeting.len());
            }
        }
    }

    #[tokio::test]
    async fn who_says_nothing_from_one_address_keeps_no_sibling_of_another_out() {
        let folder = ScratchDir::new("quenty-siblings").unwrap();
        let (mut listener, settings) = listener(&folder).await;
        let address = listener.local_addr().unwrap();
        let mut silent = Vec::new();
        for _ in 0..listener.at_once {
            silent.push(connect(1, address).await);
        }
        let connector = TlsConnector::from(Arc::new(tls::to_services(&settings).unwrap().unwrap()));
        let sibling = connect(2, address).await;
        let greeting = connector.connect("probe".try_into().unwrap(), sibling);
        // The silent ones have their places for longer.
        let greeted = async { tokio::join!(greeting, listener.accept()) };
        let greeted = tokio::time::timeout(HANDSHAKE_LIMIT / 2, greeted).await;
        let (connected, (_, from)) = greeted.expect("the sibling gets in");
        connected.unwrap();
        assert_eq!(from.ip(), IpAddr::from([127, 0, 0, 2]));
    }
}
