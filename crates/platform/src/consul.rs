//! Consul, as far as Quenty uses it: its register of services, where each process keeps its own entry alive and watches
//! those of the services that it calls, and the settings that processes share.
//!
//! The client is our own: six requests of Consul's HTTP API, for which no crate is kept well.

use std::{net::SocketAddr, time::Duration};

use axum::{
    body::Body,
    http::{Method, Request, Response, StatusCode},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    client::{CallError, Transport},
    settings::Settings,
};

/// An entry that is not renewed for so long is passed over.
const TTL: Duration = Duration::from_secs(10);
const RENEW_EVERY: Duration = Duration::from_secs(3);
const FORGOTTEN_AFTER: &str = "10m";
/// How long Consul keeps a question open whose answer has not changed.
const WATCH_FOR: Duration = Duration::from_secs(30);
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
pub(crate) const RETRY: Duration = Duration::from_secs(1);
/// Under which keys the settings stand.
const CONFIG: &str = "quenty/config/";

/// An agent of Consul.
#[derive(Clone)]
pub struct Consul {
    transport: Transport,
    url: String,
    token: Option<String>,
    /// Whether the platform's services do.
    speaks_tls: bool,
}

#[derive(Deserialize)]
struct Healthy {
    #[serde(rename = "Service")]
    service: Instance,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Instance {
    address: String,
    port: u16,
}

/// One key of Consul's store. A folder has no value.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stored {
    key: String,
    value: Option<String>,
}

impl Consul {
    /// Nothing if the settings name no agent.
    #[must_use]
    pub fn from_settings(settings: &Settings, transport: &Transport) -> Option<Self> {
        Some(Self {
            transport: transport.to_infrastructure(),
            speaks_tls: settings.get("service_ca_file").is_some(),
            url: settings.get("consul_url")?.trim_end_matches('/').to_owned(),
            token: settings.get("consul_token").map(str::to_owned),
        })
    }

    /// Keeps the entry of an instance of `service` until `stop`, and then takes it out. An agent that is away, or that
    /// has forgotten, gets it again.
    pub async fn keep_registered(&self, service: &str, address: SocketAddr, stop: CancellationToken) {
        let id = format!("{service}-{address}").replace(['[', ']'], "").replace(':', "-");
        let keeping = async {
            let mut is_registered = false;
            loop {
                let outcome = if is_registered {
                    self.put(&format!("/v1/agent/check/pass/service:{id}"), None).await
                } else {
                    self.register(service, &id, address).await
                };
                is_registered = outcome.is_ok();
                if let Err(error) = outcome {
                    tracing::warn!(service, %error, "the entry in Consul is not kept");
                }
                sleep(if is_registered { RENEW_EVERY } else { RETRY }).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = keeping => {}
        }
        if let Err(error) = self.put(&format!("/v1/agent/service/deregister/{id}"), None).await {
            tracing::warn!(service, %error, "the entry in Consul stays until it is too old");
        }
    }

    async fn register(&self, service: &str, id: &str, address: SocketAddr) -> Result<(), CallError> {
        let entry = json!({
            "ID": id, "Name": name_of(service), "Address": address.ip().to_string(), "Port": address.port(),
            "Check": {
                "TTL": format!("{}s", TTL.as_secs()), "Status": "passing",
                "DeregisterCriticalServiceAfter": FORGOTTEN_AFTER,
            },
        });
        self.put("/v1/agent/service/register?replace-existing-checks=true", Some(&entry)).await
    }

    /// Tells the base URLs of the instances of `service` whenever they change, until `stop`. When none is left, or the
    /// agent is away, those that were known stay: one that may have gone is worth a try more than nothing.
    pub async fn watch(
        &self,
        service: &str,
        instances: &watch::Sender<Vec<String>>,
        stop: CancellationToken,
    ) {
        let watching = async {
            let mut index = 0;
            loop {
                match self.healthy(service, index).await {
                    Ok((found, next)) => {
                        // One that goes back means that the register is another one.
                        index = if next < index { 0 } else { next };
                        if found.is_empty() {
                            tracing::warn!(service, "Consul knows no instance that is well");
                        } else {
                            instances.send_if_modified(|known| {
                                *known != found && {
                                    known.clone_from(&found);
                                    true
                                }
                            });
                        }
                    }
                    Err(error) => {
                        tracing::warn!(service, %error, "Consul does not say where it is; what was known stays");
                        index = 0;
                        sleep(RETRY).await;
                    }
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = watching => {}
        }
    }

    /// The settings that stand in Consul's store for all processes (`quenty/config/log`) and for this one
    /// (`quenty/config/order/log`), each with its place, in the order in which a later one counts more. Waits while the
    /// store is at `index`; 0 waits for nothing. An empty store has none.
    ///
    /// # Errors
    /// When the agent cannot be asked, or a value is no text.
    pub(crate) async fn config(
        &self,
        process: &str,
        index: u64,
    ) -> Result<(Vec<(String, String, String)>, u64), CallError> {
        let path = format!("/v1/kv/{CONFIG}?recurse=true&index={index}&wait={}s", WATCH_FOR.as_secs());
        let limit = if index == 0 { ANSWER_LIMIT } else { WATCH_FOR + WATCH_FOR / 8 };
        let answer = self.send(Method::GET, &path, None, limit).await?;
        let next = index_of(&answer);
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok((Vec::new(), next));
        }
        let stored: Vec<Stored> = serde_json::from_slice(succeeded(answer)?.body()).map_err(unreadable)?;
        let (mut of_all, mut own) = (Vec::new(), Vec::new());
        for Stored { key, value } in stored {
            let Some(value) = value else { continue };
            let value = STANDARD.decode(value).map_err(unreadable)?;
            let value = String::from_utf8(value).map_err(unreadable)?.trim_end().to_owned();
            match key.trim_start_matches(CONFIG).split_once('/') {
                None => of_all.push((key.trim_start_matches(CONFIG).to_owned(), value, key)),
                Some((of, name)) if of == process => own.push((name.to_owned(), value, key)),
                Some(_) => {}
            }
        }
        of_all.append(&mut own);
        Ok((of_all, next))
    }

    /// Instances that are well, in a steady order; waits while the register is at `index`.
    pub(crate) async fn healthy(&self, service: &str, index: u64) -> Result<(Vec<String>, u64), CallError> {
        let path = format!(
            "/v1/health/service/{}?passing=true&index={index}&wait={}s",
            name_of(service),
            WATCH_FOR.as_secs()
        );
        // Consul adds up to a sixteenth, so that not all ask again at once.
        let answer = self.ask(Method::GET, &path, None, WATCH_FOR + WATCH_FOR / 8).await?;
        let found: Vec<Healthy> = serde_json::from_slice(answer.body()).map_err(unreadable)?;
        let mut urls: Vec<String> =
            found.into_iter().map(|found| found.service.url(self.speaks_tls)).collect();
        urls.sort_unstable();
        Ok((urls, index_of(&answer)))
    }

    async fn put(&self, path: &str, body: Option<&Value>) -> Result<(), CallError> {
        self.ask(Method::PUT, path, body, ANSWER_LIMIT).await.map(drop)
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        limit: Duration,
    ) -> Result<Response<Bytes>, CallError> {
        succeeded(self.send(method, path, body, limit).await?)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        limit: Duration,
    ) -> Result<Response<Bytes>, CallError> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("x-consul-token", token);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let request = request.body(body).map_err(unreadable)?;
        self.transport.send(request, limit).await
    }
}

fn succeeded(answer: Response<Bytes>) -> Result<Response<Bytes>, CallError> {
    if answer.status().is_success() {
        return Ok(answer);
    }
    Err(CallError::Refused {
        service: "consul".to_owned(),
        status: answer.status().as_u16(),
        problem: String::from_utf8_lossy(answer.body()).chars().take(200).collect(),
        code: None,
    })
}

/// How old the answer is, as Consul counts; 0 where it does not say.
fn index_of(answer: &Response<Bytes>) -> u64 {
    let index = answer.headers().get("x-consul-index").and_then(|index| index.to_str().ok()?.parse().ok());
    index.unwrap_or(0)
}

fn unreadable(error: impl std::fmt::Display) -> CallError {
    CallError::Unreadable(error.to_string())
}

impl Instance {
    fn url(&self, by_tls: bool) -> String {
        let (Self { address, port }, scheme) = (self, if by_tls { "https" } else { "http" });
        if address.contains(':') {
            format!("{scheme}://[{address}]:{port}")
        } else {
            format!("{scheme}://{address}:{port}")
        }
    }
}

/// As entries are called in the register, which others may use, too.
fn name_of(service: &str) -> String {
    format!("quenty-{service}")
}
