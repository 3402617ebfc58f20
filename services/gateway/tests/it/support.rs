//! What all tests of the gateway begin with.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{Json, Router, body::Body, routing::get};
use hyper::Method;
use quenty_gateway::{Gateway, Upstream};
use quenty_platform::{
    client::Transport,
    discovery::Discovery,
    settings::{CHASSIS, Settings, SettingsError},
    token::Verifier,
};
use quenty_testkit::{http::Call, keys, wait::eventually};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

/// A running gateway that one test owns.
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    transport: Transport,
    stop: CancellationToken,
    gateway: Gateway,
    settings: Settings,
}

impl Door {
    /// A gateway to these services, once it has routes and keys.
    pub(crate) async fn open(upstreams: Vec<Upstream>, more: &[(&str, &str)]) -> Self {
        Self::open_with_auth(upstreams, more, keys::router()).await
    }

    /// As [`Door::open`], with an Auth of one's own.
    pub(crate) async fn open_with_auth(
        upstreams: Vec<Upstream>,
        more: &[(&str, &str)],
        auth: Router,
    ) -> Self {
        let door = Self::begin_with_auth(upstreams, more, auth).await;
        eventually("the gateway is ready", || async {
            (door.get("/health/ready").send().await.status() == 200).then_some(())
        })
        .await;
        door
    }

    pub(crate) async fn begin(upstreams: Vec<Upstream>, more: &[(&str, &str)]) -> Self {
        Self::begin_with_auth(upstreams, more, keys::router()).await
    }

    async fn begin_with_auth(upstreams: Vec<Upstream>, more: &[(&str, &str)], auth: Router) -> Self {
        let mut settings =
            Settings::load(&[CHASSIS, quenty_gateway::SETTINGS], None, std::iter::empty()).unwrap();
        for (key, value) in more {
            settings = settings.with(key, *value);
        }
        let stop = CancellationToken::new();
        let auth = serve(auth, stop.clone()).await;
        settings = settings.with("auth_url", auth).with("client_secret", "secret");
        let discovery = Discovery::from_settings(&settings, &Transport::default());
        let verifier = Verifier::new(Transport::default(), discovery.clone(), keys::ISSUER);
        let gateway = Gateway::new(&settings, verifier, discovery, upstreams).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        #[expect(clippy::disallowed_methods, reason = "ends with the test, by its token")]
        tokio::spawn(gateway.clone().serve(listener, stop.clone()));
        Self { address, transport: Transport::default(), stop, gateway, settings }
    }

    /// A setting changes while it runs.
    pub(crate) fn reload(&self, key: &str, value: &str) -> Result<(), SettingsError> {
        self.gateway.reload(&self.settings.clone().with(key, value))
    }

    /// As its process is asked to end.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        Call::new(self.transport.clone(), method, format!("http://{}{path}", self.address))
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes as they are and reads until the gateway closes.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Serves until `stop`, also those who ask for their client's address; tells where.
pub(crate) async fn serve(router: Router, stop: CancellationToken) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    #[expect(clippy::disallowed_methods, reason = "ends with the test, by its token")]
    tokio::spawn(async move {
        axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
            .with_graceful_shutdown(stop.cancelled_owned())
            .await
    });
    url
}

/// What a service says of these operations: open to anyone.
pub(crate) fn description(operations: &[(&str, &str)]) -> Value {
    let mut paths = json!({});
    for (method, path) in operations {
        paths[path][method] = json!({"security": [{}]});
    }
    json!({"paths": paths})
}

/// A small service at a URL of its own, until `stop`.
pub(crate) async fn remote(
    name: &'static str,
    router: Router,
    description: Value,
    stop: CancellationToken,
) -> Upstream {
    let ready = || async { Json(json!({"status": "ready", "checks": []})) };
    let described = router
        .route("/openapi.json", get(move || async move { Json(description) }))
        .route("/health/ready", get(ready));
    Upstream::remote(name, &serve(described, stop).await)
}

/// A service that takes connections and never answers.
pub(crate) async fn hanging(name: &'static str) -> Upstream {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    Upstream::remote(name, &url)
}

/// Tells when it is dropped.
struct Gone(Arc<AtomicBool>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A service whose answer has no end; it tells when nobody takes it any more.
pub(crate) fn endless(path: &'static str, is_gone: Arc<AtomicBool>) -> Upstream {
    let answer = move || async move {
        let gone = Gone(is_gone);
        let pieces = futures_util::stream::repeat_with(move || {
            let _held = &gone;
            Ok::<_, std::io::Error>(vec![b'x'; 64 * 1024])
        });
        Body::from_stream(pieces)
    };
    Upstream::local("things", Router::new().route(path, get(answer)), description(&[("get", path)]))
}
