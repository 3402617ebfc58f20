//! The platform's own services and how they prove themselves (OAuth 2.0 client credentials).

use std::collections::BTreeMap;

use crate::domain::secret::Key;

/// A secret is tried by whoever reaches the gateway: it is made by a machine, and this is what 128 bits and more take.
pub const SHORTEST_SECRET: usize = 32;

/// Known clients; of their secrets only a keyed hash is held.
#[derive(Debug)]
pub struct Clients {
    key: Key,
    macs: BTreeMap<String, [u8; 32]>,
}

impl Clients {
    /// Reads `{"order": "secret", …}`.
    ///
    /// # Errors
    /// When it is no such object, or a secret is too short to be one.
    pub fn from_json(text: &str, key: Key) -> Result<Self, String> {
        let secrets: BTreeMap<String, String> = serde_json::from_str(text)
            .map_err(|_| "expected a JSON object of service name and secret".to_owned())?;
        if let Some((name, _)) = secrets.iter().find(|(_, secret)| secret.len() < SHORTEST_SECRET) {
            return Err(format!(
                "the secret of {name} has less than {SHORTEST_SECRET} characters; make one with `openssl rand -base64 32`"
            ));
        }
        let macs = secrets.into_iter().map(|(name, secret)| (name, key.mac(secret.as_bytes()))).collect();
        Ok(Self { key, macs })
    }

    #[must_use]
    pub fn knows(&self, name: &str) -> bool {
        self.macs.contains_key(name)
    }

    /// Whether the client exists and this is its secret; the time taken tells nothing.
    #[must_use]
    pub fn verify(&self, name: &str, secret: &str) -> bool {
        // The same work for a name that nobody has.
        let (mac, is_known) = self.macs.get(name).map_or((&[0; 32], false), |mac| (mac, true));
        self.key.verifies(secret.as_bytes(), mac) && is_known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_needs_its_own_secret() {
        let key = Key::from_base64("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
        let (a, b) = ("a".repeat(SHORTEST_SECRET), "b".repeat(SHORTEST_SECRET));
        let json = format!(r#"{{"order": "{a}", "pickup": "{b}"}}"#);
        let clients = Clients::from_json(&json, key.clone()).unwrap();
        assert!(clients.verify("order", &a));
        assert!(
            !clients.verify("order", &b) && !clients.verify("nobody", &a) && !clients.verify("order", "")
        );
        for short in ["", &a[1..]] {
            let refused = Clients::from_json(&format!(r#"{{"order": "{short}"}}"#), key.clone()).unwrap_err();
            assert!(refused.contains("order") && (short.is_empty() || !refused.contains(short)), "{refused}");
        }
        assert!(Clients::from_json("[]", key).is_err());
    }
}
