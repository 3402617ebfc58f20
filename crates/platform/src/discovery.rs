//! Where the instances of the other services are: as the settings say, or as Consul's register says.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    client::{CallError, Transport},
    consul::Consul,
    settings::Settings,
};

/// All services that a process may call; cheap to clone.
#[derive(Clone)]
pub struct Discovery(Arc<Inner>);

struct Inner {
    consul: Option<Consul>,
    services: BTreeMap<&'static str, Found>,
}

struct Found {
    instances: watch::Sender<Vec<String>>,
    /// Whose turn it is.
    turn: AtomicUsize,
}

impl Discovery {
    /// What the settings say (`order_url` and the like; several addresses with commas), until Consul says otherwise.
    #[must_use]
    pub fn from_settings(settings: &Settings, transport: &Transport) -> Self {
        let services = settings.locations().map(|(service, urls)| {
            let urls = urls.split(',').map(|url| url.trim().trim_end_matches('/').to_owned());
            let instances = watch::Sender::new(urls.filter(|url| !url.is_empty()).collect());
            (service, Found { instances, turn: AtomicUsize::new(0) })
        });
        let consul = Consul::from_settings(settings, transport);
        Self(Arc::new(Inner { consul, services: services.collect() }))
    }

    /// Follows the register, where there is one.
    pub async fn follow(self, stop: CancellationToken) {
        let Some(consul) = self.register() else { return };
        let watches = self.0.services.iter();
        join_all(watches.map(|(service, found)| consul.watch(service, &found.instances, stop.clone()))).await;
    }

    /// Where an instance is, another one each time; nothing for a service that nobody knows.
    #[must_use]
    pub fn next(&self, service: &str) -> Option<String> {
        let found = self.0.services.get(service)?;
        let instances = found.instances.borrow();
        let turn = found.turn.fetch_add(1, Ordering::Relaxed);
        instances.get(turn % instances.len().max(1)).cloned()
    }

    /// A service's name, if it is one whose place is told.
    pub(crate) fn known(&self, service: &str) -> Option<&'static str> {
        self.0.services.get_key_value(service).map(|(name, _)| *name)
    }

    /// As [`Discovery::next`], for who cannot go on without.
    pub(crate) fn locate(&self, service: &str) -> Result<String, CallError> {
        let unknown = || CallError::Unreachable(service.to_owned(), "nobody says where it is".to_owned());
        self.next(service).ok_or_else(unknown)
    }

    /// The register, where there is one.
    pub(crate) fn register(&self) -> Option<&Consul> {
        self.0.consul.as_ref()
    }

    /// Where the register says now that instances are which are well; nothing where there is no register.
    pub async fn registered(&self, service: &str) -> Option<Result<Vec<String>, CallError>> {
        let found = self.register()?.healthy(service, 0).await;
        Some(found.map(|(instances, _)| instances))
    }

    /// Where all instances are, now and whenever that changes; nothing for a service that nobody knows.
    #[must_use]
    pub fn instances(&self, service: &str) -> Option<watch::Receiver<Vec<String>>> {
        self.0.services.get(service).map(|found| found.instances.subscribe())
    }
}
