//! The way out for money: the payment provider that pays buyers back, or whatever stands between us and it.
//!
//! What is sent and what the answers mean is in `docs/guides/payouts.md`. Without a provider, refunds are paid by hand
//! and recorded.

use std::{fmt, net::IpAddr, time::Duration};

use http::{Request, StatusCode, header};
use quenty_kernel::{
    Failure, Kind,
    id::{CompanyId, OrderId, ReturnId},
    money::Money,
};
use quenty_platform::{
    Error, Result,
    client::Transport,
    settings::{Setting, Settings},
};
use serde::{Deserialize, Serialize};
use url::Url;

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new(
        "payout_url",
        "where refunds are paid out, `https:` or on loopback (docs/guides/payouts.md); without it they are paid by hand",
    ),
    Setting::new("payout_token", "what `payout_url` knows us by, a bearer token").secret(),
];

/// A provider may ask a bank.
const TIMEOUT: Duration = Duration::from_secs(30);
const LONGEST_REFERENCE: usize = 100;
const LONGEST_REASON: usize = 300;

/// The provider that the settings name, if they name one; a part of the service.
pub(crate) struct Payouts(Option<Provider>);

struct Provider {
    url: Url,
    token: String,
    transport: Transport,
}

/// What is to be paid.
#[derive(Debug, Serialize)]
pub(crate) struct Payment<'a> {
    pub(crate) return_id: ReturnId,
    pub(crate) order_id: OrderId,
    pub(crate) company_id: CompanyId,
    pub(crate) amount: Money,
    pub(crate) buyer: &'a str,
}

/// What the provider says; anything else is asked again.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Paid { reference: String },
    Refused { why: String },
}

#[derive(Deserialize)]
struct PaidIn {
    reference: String,
}

#[derive(Deserialize)]
struct RefusedIn {
    detail: String,
}

impl Payouts {
    /// # Errors
    /// When the address cannot be used, or is without a token.
    pub(crate) fn from_settings(settings: &Settings) -> Result<Self> {
        if settings.get("payout_url").is_none() {
            return Ok(Self(None));
        }
        let url: Url = settings.parse("payout_url").map_err(Error::internal)?;
        if url.scheme() != "https" && !is_loopback(&url) {
            return Err(Error::internal("QUENTY_PAYOUT_URL: money and names go by https: only"));
        }
        let token = settings.require("payout_token").map_err(Error::internal)?.to_owned();
        Ok(Self(Some(Provider { url, token, transport: Transport::default() })))
    }

    /// Whether there is a provider that pays.
    pub(crate) fn are_made(&self) -> bool {
        self.0.is_some()
    }

    /// Asks for one payment; the same number again means the same payment.
    ///
    /// # Errors
    /// When it is not known whether it was made.
    pub(crate) async fn pay(&self, number: u32, payment: &Payment<'_>) -> Result<Answer> {
        let provider =
            self.0.as_ref().ok_or_else(|| unknown("QUENTY_PAYOUT_URL names no provider any more"))?;
        let request = Request::post(provider.url.as_str())
            .header(header::AUTHORIZATION, format!("Bearer {}", provider.token))
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", format!("{}-{number}", payment.return_id))
            .body(serde_json::to_string(payment)?)
            .map_err(Error::internal)?;
        let answer = provider.transport.send(request, TIMEOUT).await.map_err(|error| unknown(&error))?;
        answered(answer.status(), answer.body())
    }
}

fn answered(status: StatusCode, body: &[u8]) -> Result<Answer> {
    match status {
        StatusCode::OK | StatusCode::CREATED => {
            let PaidIn { reference } = serde_json::from_slice(body).map_err(|error| unknown(&error))?;
            Ok(Answer::Paid { reference: shortened(&reference, LONGEST_REFERENCE) })
        }
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
            let told = serde_json::from_slice::<RefusedIn>(body).map(|refused| refused.detail);
            let why = told.unwrap_or_else(|_| format!("the payment provider answered {status}"));
            Ok(Answer::Refused { why: shortened(&why, LONGEST_REASON) })
        }
        // Also 409: the first request with this key is still at work.
        other => Err(unknown(&format!("it answered {other}"))),
    }
}

/// Without control characters, and no longer than is shown.
fn shortened(text: &str, longest: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(longest).collect()
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    url.scheme() == "http" && host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn unknown(why: &(impl fmt::Display + ?Sized)) -> Error {
    Failure::new(
        Kind::Unavailable,
        "PAYOUT_UNKNOWN",
        format!("the payment provider did not say whether it paid: {why}"),
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_certain_is_an_answer() {
        let paid = Answer::Paid { reference: "PSE-1".to_owned() };
        let answer = |status, body: &str| answered(StatusCode::from_u16(status).unwrap(), body.as_bytes());
        assert_eq!(answer(201, r#"{"reference": "PSE-1\n"}"#).unwrap(), paid);
        let refused = Answer::Refused { why: "the account is closed".to_owned() };
        assert_eq!(answer(422, r#"{"detail": "the account is closed"}"#).unwrap(), refused);
        assert!(matches!(answer(400, "").unwrap(), Answer::Refused { .. }));
        let running = r#"{"detail": "a request with this key is still running"}"#;
        for (status, body) in
            [(200, "{}"), (202, ""), (301, ""), (401, "{}"), (404, ""), (409, running), (429, ""), (500, "")]
        {
            assert!(answer(status, body).is_err(), "{status}");
        }
    }

    #[test]
    fn money_and_names_go_in_the_clear_to_this_machine_only() {
        let made = |url: &str| {
            let settings = Settings::load(&[SETTINGS], None, std::iter::empty()).unwrap();
            let settings = settings.with("payout_url", url).with("payout_token", "secret");
            Payouts::from_settings(&settings).map(|payouts| payouts.are_made()).ok()
        };
        assert_eq!(made("https://payouts.example/v1"), Some(true));
        assert_eq!(made("http://127.0.0.1:9000/"), Some(true));
        assert_eq!(made("http://[::1]:9000/"), Some(true));
        for refused in ["http://payouts.example/", "http://localhost.example/", "ftp://127.0.0.1/", "pay"] {
            assert_eq!(made(refused), None, "{refused}");
        }
    }
}
