//! A proxy on the gateway's engine that does nothing but forward: it tells how much of what the gateway takes is the
//! engine's. `bench --forward PORT UPSTREAM` is one, as a process of its own.

use std::{process::Command, time::Duration};

use anyhow::Result;
use hyper::{
    Request, Uri,
    body::Incoming,
    header::{CONNECTION, HOST, HeaderValue},
    http::uri::{Authority, Scheme},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use quenty_testkit::ports::free_ports;
use tokio::{net::TcpListener, task::JoinSet};

use super::Server;

pub(super) async fn start(upstream: u16) -> Result<Server> {
    let [port] = free_ports()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--forward", &port.to_string(), &upstream.to_string()]);
    Server::start("the bare proxy", command, port).await
}

/// Forwards until it is killed, by the same server as the gateway and the pool of hyper-util, in the clear and without
/// the gateway's limits.
pub(crate) async fn forward(port: u16, upstream: u16) -> Result<()> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Incoming> = Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_max_idle_per_host(256)
        .build(connector);
    let upstream: Authority = format!("127.0.0.1:{upstream}").parse()?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let mut served = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        drop(stream.set_nodelay(true));
        let (client, upstream) = (client.clone(), upstream.clone());
        let answer = service_fn(move |request| {
            let request = addressed(request, &upstream).map(|request| client.request(request));
            async { Ok::<_, anyhow::Error>(request?.await?) }
        });
        let mut server = http1::Builder::new();
        server.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(10));
        served.spawn(async move {
            drop(server.serve_connection(TokioIo::new(stream), answer).await);
        });
        while served.try_join_next().is_some() {}
    }
}

fn addressed(mut request: Request<Incoming>, upstream: &Authority) -> Result<Request<Incoming>> {
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    (parts.scheme, parts.authority) = (Some(Scheme::HTTP), Some(upstream.clone()));
    *request.uri_mut() = Uri::from_parts(parts)?;
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::try_from(upstream.as_str())?);
    headers.remove(CONNECTION);
    Ok(request)
}
