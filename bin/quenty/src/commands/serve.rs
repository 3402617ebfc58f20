//! `quenty serve SERVICE`: one service of a distributed platform, configured by the environment alone.

use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroUsize,
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context, Result};
use quenty_gateway::{Gateway, Upstream};
use quenty_kernel::Clock;
use quenty_platform::{
    Service,
    bus::{Bus, rabbit::RabbitBus},
    client::Transport,
    discovery::Discovery,
    lifecycle::{self, Surroundings},
    otlp::Traces,
    settings::Settings,
    shared_settings::SharedSettings,
    telemetry,
    token::Verifier,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    ending::Ending,
    services,
    settings_check::{ensure_fit, ensure_sound},
};

const GATEWAY: &str = "gateway";

#[derive(clap::Args, Debug)]
pub struct Args {
    /// `gateway`, or the name of a service
    name: String,
    /// Threads that work; as many as there are cores, unless told otherwise
    #[arg(long, env = "TOKIO_WORKER_THREADS", value_name = "N")]
    pub workers: Option<NonZeroUsize>,
}

pub async fn run(args: Args) -> Result<ExitCode> {
    let service = (args.name != GATEWAY).then(|| services::find(&args.name)).transpose()?;
    let own = match &service {
        Some(service) => services::settings_of(service.name)?,
        None => services::settings()?,
    };
    ensure_fit(&own, &args.name)?;
    telemetry::start(own.require("log")?);
    let shared = SharedSettings::of(&args.name, own.clone(), &Transport::from_settings(&own)?);
    let settings = shared.read().await;
    ensure_sound(&settings, &args.name)?;
    telemetry::log_by(settings.require("log")?)?;
    let traces = Traces::start(&settings)?;
    let ending = Ending::listen()?;
    let stop = ending.asked.clone();
    let serving = async {
        match service {
            Some(service) => serve_service(service, settings, shared, stop).await,
            None => serve_gateway(settings, shared, stop).await,
        }
    };
    ending.patiently(serving).await?;
    traces.end().await;
    Ok(ExitCode::SUCCESS)
}

async fn serve_service(
    service: Service,
    settings: Settings,
    shared: SharedSettings,
    stop: CancellationToken,
) -> Result<()> {
    let bus = RabbitBus::from_settings(&settings, services::topology())?;
    let surroundings = Surroundings {
        bus: Arc::new(bus) as Arc<dyn Bus>,
        clock: Clock::wall(),
        transport: Transport::from_settings(&settings)?,
        stop: stop.clone(),
    };
    let running = match lifecycle::start(service, settings.clone(), &surroundings).await {
        Ok(running) => running,
        Err(error) if stop.is_cancelled() => {
            tracing::info!(%error, "ended before it served");
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    let take_over = |settings: &Settings| telemetry::log_by(settings.require("log")?);
    tokio::join!(shared.follow(settings, take_over, stop), running.finished());
    Ok(())
}

async fn serve_gateway(settings: Settings, shared: SharedSettings, stop: CancellationToken) -> Result<()> {
    let transport = Transport::from_settings(&settings)?;
    let discovery = Discovery::from_settings(&settings, &transport);
    let found = |service: &Service| {
        let processes = discovery.instances(service.name);
        let processes =
            processes.with_context(|| format!("QUENTY_{}_URL is missing", service.name.to_uppercase()));
        Ok(Upstream::found(service.name, processes?))
    };
    let upstreams = services::all().iter().map(found).collect::<Result<Vec<_>>>()?;
    let verifier = Verifier::new(transport, discovery.clone(), settings.require("issuer")?);
    let port = if settings.get("port").is_some() { settings.parse("port")? } else { quenty_gateway::PORT };
    let address = SocketAddr::new(settings.parse::<IpAddr>("host")?, port);
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("the gateway cannot listen on {address}: stop what uses the port, or set QUENTY_PORT")
    })?;
    tracing::info!(service = GATEWAY, %address, "serving");
    let gateway = Gateway::new(&settings, verifier, discovery.clone(), upstreams)?;
    let reloaded = gateway.clone();
    // Each for itself: one that cannot be used keeps nothing else from being taken over.
    let take_over =
        |settings: &Settings| reloaded.reload(settings).and(telemetry::log_by(settings.require("log")?));
    tokio::join!(
        discovery.follow(stop.clone()),
        shared.follow(settings, take_over, stop.clone()),
        gateway.serve(listener, stop)
    );
    Ok(())
}
