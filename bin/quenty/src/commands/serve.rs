//! `quenty serve SERVICE`: one service of a distributed platform, configured by the environment alone.

use std::{net::SocketAddr, process::ExitCode, sync::Arc};

use anyhow::{Context, Result, ensure};
use quenty_gateway::{Gateway, Upstream};
use quenty_kernel::Clock;
use quenty_platform::{
    bus::{Bus, rabbit::RabbitBus},
    client::Transport,
    lifecycle::{self, Surroundings},
    settings::Settings,
    telemetry,
    token::Verifier,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

use crate::services;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// `gateway`, or the name of a service
    name: String,
}

pub async fn run(args: Args) -> Result<ExitCode> {
    let settings = services::settings(&[])?;
    telemetry::start(settings.require("log")?);
    let stop = CancellationToken::new();
    let ending = stop.clone();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let signals = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        ending.cancel();
    };
    let work = async {
        if args.name == "gateway" {
            serve_gateway(&settings, stop).await
        } else {
            serve_service(&args.name, settings, stop).await
        }
    };
    let ((), served) = tokio::join!(
        async {
            // Ends with the work too, when that fails before any signal.
            signals.await;
        },
        work
    );
    served.map(|()| ExitCode::SUCCESS)
}

async fn serve_service(name: &str, settings: Settings, stop: CancellationToken) -> Result<()> {
    let service = services::find(name)?;
    let settings = with_own_database(settings, name);
    let url = settings.require("bus_url").context("a service beside others needs RabbitMQ")?;
    let bus = RabbitBus::connect_lazily(url, services::topology());
    let surroundings = Surroundings {
        bus: Arc::new(bus) as Arc<dyn Bus>,
        clock: Clock::wall(),
        transport: Transport::default(),
        stop,
    };
    let running = lifecycle::start(service, settings, &surroundings).await?;
    running.finished().await;
    Ok(())
}

/// One environment may serve several processes: `QUENTY_DATABASE_URL` is this process's own.
fn with_own_database(settings: Settings, name: &str) -> Settings {
    match std::env::var_os(format!("QUENTY_{}_DATABASE_URL", name.to_uppercase()))
        .and_then(|url| url.into_string().ok())
    {
        Some(url) if settings.get("database_url").is_none() => settings.with("database_url", url),
        _ => settings,
    }
}

async fn serve_gateway(settings: &Settings, stop: CancellationToken) -> Result<()> {
    let verifier =
        Verifier::new(Transport::default(), settings.require("auth_url")?, settings.require("issuer")?);
    let upstreams = services::all()
        .iter()
        .map(|service| {
            Ok(Upstream::remote(service.name, settings.require(&format!("{}_url", service.name))?))
        })
        .collect::<Result<Vec<_>>>()?;
    let host = settings.require("host")?.parse()?;
    let port = settings.get("port").map_or(Ok(quenty_gateway::PORT), str::parse)?;
    let address = SocketAddr::new(host, port);
    ensure!(
        address.ip().is_loopback() || settings.get("trusted_network") == Some("true"),
        "{address} is not loopback: say QUENTY_TRUSTED_NETWORK=true to serve other machines"
    );
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    tracing::info!(service = "gateway", %address, "serving");
    Gateway::new(settings, verifier, upstreams)?.serve(listener, stop).await;
    Ok(())
}
