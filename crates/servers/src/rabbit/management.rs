//! A broker as a test sees it: where to connect, and its management API for what AMQP cannot do.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, Uri};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// A running broker, ours or shared.
#[derive(Debug, Clone)]
pub struct RabbitBroker {
    user: String,
    password: String,
    amqp: String,
    management: String,
}

#[derive(serde::Deserialize)]
struct Queue {
    name: String,
    #[serde(default)]
    messages: u64,
}

impl RabbitBroker {
    pub(super) fn new(user: &str, password: &str, amqp: u16, management: u16) -> anyhow::Result<Self> {
        Self::from_urls(
            &format!("amqp://{user}:{password}@127.0.0.1:{amqp}"),
            &format!("http://{user}:{password}@127.0.0.1:{management}"),
        )
    }

    /// A broker that someone else runs, by the two URLs that [`Self::base_url`] and [`Self::management_url`] give.
    pub fn from_urls(amqp: &str, management: &str) -> anyhow::Result<Self> {
        let (user, password, amqp) = parts(amqp)?;
        let (_, _, management) = parts(management)?;
        Ok(Self { user, password, amqp, management })
    }

    /// `amqp://user:password@host:port`, without a virtual host.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("amqp://{}:{}@{}", self.user, self.password, self.amqp)
    }

    /// The URL for clients of one virtual host; the default one is named `/`.
    #[must_use]
    pub fn amqp_url(&self, vhost: &str) -> String {
        format!("{}/{}", self.base_url(), escape(vhost))
    }

    #[must_use]
    pub fn management_url(&self) -> String {
        format!("http://{}:{}@{}", self.user, self.password, self.management)
    }

    /// Makes a virtual host: a broker of its own for one test.
    pub async fn add_vhost(&self, name: &str) -> anyhow::Result<()> {
        let (vhost, user) = (escape(name), escape(&self.user));
        self.call(Method::PUT, &format!("/api/vhosts/{vhost}"), "{}").await?;
        let all = r#"{"configure":".*","write":".*","read":".*"}"#;
        self.call(Method::PUT, &format!("/api/permissions/{vhost}/{user}"), all).await?;
        Ok(())
    }

    /// Removes a virtual host with all that is in it.
    pub async fn remove_vhost(&self, name: &str) -> anyhow::Result<()> {
        self.call(Method::DELETE, &format!("/api/vhosts/{}", escape(name)), "").await?;
        Ok(())
    }

    /// Messages per queue, ready and unacknowledged. May be a second old: wait on a condition.
    pub async fn queue_depths(&self, vhost: &str) -> anyhow::Result<BTreeMap<String, u64>> {
        let path = format!("/api/queues/{}", escape(vhost));
        let body = self.call(Method::GET, &path, "").await?;
        let queues: Vec<Queue> = serde_json::from_slice(&body)?;
        Ok(queues.into_iter().map(|queue| (queue.name, queue.messages)).collect())
    }

    pub(super) async fn is_up(&self) -> bool {
        self.call(Method::GET, "/api/overview", "").await.is_ok()
    }

    async fn call(&self, method: Method, path: &str, body: &'static str) -> anyhow::Result<Bytes> {
        let credentials = BASE64_STANDARD.encode(format!("{}:{}", self.user, self.password));
        let request = Request::builder()
            .method(method.clone())
            .uri(format!("http://{}{path}", self.management))
            .header(AUTHORIZATION, format!("Basic {credentials}"))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from_static(body.as_bytes())))?;
        // A client per call: a pooled connection would belong to the runtime of a test that is over.
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        let exchange = async {
            let response = client.request(request).await?;
            let status = response.status();
            let body = response.into_body().collect().await?.to_bytes();
            ensure!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
            Ok(body)
        };
        let answer = tokio::time::timeout(ANSWER_LIMIT, exchange).await?;
        answer.with_context(|| format!("rabbitmq management: {method} {path}"))
    }
}

fn parts(url: &str) -> anyhow::Result<(String, String, String)> {
    let uri: Uri = url.parse()?;
    let authority = uri.authority().context("a broker's url needs a host")?.as_str();
    let (credentials, address) =
        authority.split_once('@').context("a broker's url needs user:password@host")?;
    let (user, password) = credentials.split_once(':').context("a broker's url needs user:password@host")?;
    Ok((user.to_owned(), password.to_owned(), address.to_owned()))
}

/// Percent-encodes one path segment.
fn escape(segment: &str) -> String {
    let mut escaped = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => escaped.push(byte.into()),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_survive_the_environment() {
        let broker = RabbitBroker::new("quenty", "secret", 5672, 15672).unwrap();
        let again = RabbitBroker::from_urls(&broker.base_url(), &broker.management_url()).unwrap();
        assert_eq!(again.amqp_url("/"), "amqp://quenty:secret@127.0.0.1:5672/%2F");
        assert_eq!(again.management_url(), "http://quenty:secret@127.0.0.1:15672");
    }

    #[test]
    fn a_url_without_credentials_is_refused() {
        let error = RabbitBroker::from_urls("amqp://localhost", "http://localhost").unwrap_err();
        assert!(error.to_string().contains("user:password@host"));
    }
}
