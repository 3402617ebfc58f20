//! The listener of a service between services: TLS both ways, on the socket that axum serves.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

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
    task::JoinSet,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::CertificateDer},
    server::TlsStream,
};

/// Who greets slower is no sibling.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Takes in who shows a certificate of the platform's authority; handshakes run beside each other.
pub(crate) struct MutualTls {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    greeting: JoinSet<Option<(TlsStream<TcpStream>, SocketAddr)>>,
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
        Self { listener, acceptor: TlsAcceptor::from(Arc::new(config)), greeting: JoinSet::new() }
    }

    fn greet(&mut self, stream: TcpStream, address: SocketAddr) {
        let acceptor = self.acceptor.clone();
        self.greeting.spawn(async move {
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
    }
}

impl Listener for MutualTls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, address)) => self.greet(stream, address),
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(greeted) = self.greeting.join_next() => {
                    if let Ok(Some(greeted)) = greeted {
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
