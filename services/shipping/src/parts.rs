//! What is made once before Shipping serves: the signer of quotes.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use quenty_kernel::Clock;
use quenty_platform::{Error, Result, app::Parts, settings::Settings};
use sha2::Sha256;
use sqlx::PgPool;

use crate::domain::quote::{Quote, QuoteError};

/// Separates what is derived from the client secret from every other use of it.
const DERIVATION: &[u8] = b"quenty shipping quotes v1";

pub async fn make(_: PgPool, settings: Settings, _: Clock) -> Result<Parts> {
    let signer = match settings.get("quote_signing_key") {
        Some(key) => QuoteSigner::new(key.as_bytes())?,
        None => {
            let secret = settings.require("client_secret").map_err(Error::internal)?;
            QuoteSigner::new(&tag(mac(secret.as_bytes())?, DERIVATION))?
        }
    };
    Ok(Parts::default().with(signer))
}

/// Signs quotes (HMAC-SHA-256), so that they need no storage and cannot be made up.
#[derive(Clone)]
pub struct QuoteSigner(Hmac<Sha256>);

fn mac(key: &[u8]) -> Result<Hmac<Sha256>> {
    Hmac::new_from_slice(key).map_err(Error::internal)
}

fn tag(mut mac: Hmac<Sha256>, text: &[u8]) -> Vec<u8> {
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

impl QuoteSigner {
    fn new(key: &[u8]) -> Result<Self> {
        mac(key).map(Self)
    }

    /// The `quote_id`: the quote itself and its signature.
    ///
    /// # Errors
    /// When the quote cannot be written as JSON.
    pub fn sign(&self, quote: &Quote) -> Result<String> {
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(quote)?);
        let signature = URL_SAFE_NO_PAD.encode(tag(self.0.clone(), payload.as_bytes()));
        Ok(format!("{payload}.{signature}"))
    }

    /// # Errors
    /// When we did not sign it.
    pub fn open(&self, quote_id: &str) -> Result<Quote, QuoteError> {
        let (payload, signature) = quote_id.split_once('.').ok_or(QuoteError::Unknown)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| QuoteError::Unknown)?;
        let mut mac = self.0.clone();
        mac.update(payload.as_bytes());
        mac.verify_slice(&signature).map_err(|_| QuoteError::Unknown)?;
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| QuoteError::Unknown)?;
        serde_json::from_slice(&payload).map_err(|_| QuoteError::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_this_key_signed_is_opened() {
        let quote: Quote = serde_json::from_value(serde_json::json!({
            "company_id": null, "consignment": "00", "valid_until": "2026-01-05T12:30:00Z",
            "offer": {
                "carrier": "QTY", "service": "express", "chargeable_weight_grams": 500, "insured": true, "transit_days": 1,
                "promised_at": "2026-01-06T23:59:59Z",
                "cost": {"base": cop("1"), "weight": cop("2"), "fuel": cop("3"), "insurance": cop("4"), "total": cop("10")},
            },
        }))
        .unwrap();
        let signer = QuoteSigner::new(b"key").unwrap();
        let id = signer.sign(&quote).unwrap();
        assert_eq!(signer.open(&id), Ok(quote));
        assert_eq!(QuoteSigner::new(b"other").unwrap().open(&id), Err(QuoteError::Unknown));
        let forged = id.replacen('e', "f", 1);
        for text in [forged.as_str(), "", ".", "a.b", id.split_once('.').unwrap().0] {
            assert_eq!(signer.open(text), Err(QuoteError::Unknown), "{text}");
        }
    }

    fn cop(amount: &str) -> serde_json::Value {
        serde_json::json!({"amount": amount, "currency": "COP"})
    }
}
