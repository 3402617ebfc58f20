//! Keys of machines: `qk_<id>_<secret>`. A key acts for its owner in one company, with scopes that the owner held as
//! it was made, less what the owner holds no more. Secrets are told once and kept as a keyed hash.

// An address is a value; `std::net` would be the network itself.
use core::net::IpAddr;
use std::{fmt, str::FromStr};

use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use quenty_kernel::{
    Invalid,
    id::{ApiKeyId, CompanyId, TypedId, UserId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    access::Access,
    role,
    secret::{Key, OpaqueToken},
    session,
};

/// What its owner may do with a key is not what a key may do: a stolen one must not make others.
const OWN_RESOURCE: &str = "api_keys";
/// How long a key lives unless told, and at most.
pub const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(366 * 24);
/// How long the secret of before a rotation may go on.
pub const LONGEST_OVERLAP: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How many keys of one person may live in one company.
pub const MOST_KEYS: i64 = 20;

/// The text of a key, as its owner keeps it.
#[must_use]
pub fn written(id: ApiKeyId, secret: &OpaqueToken) -> String {
    let id = id.to_string();
    let bare = id.strip_prefix(ApiKeyId::PREFIX).and_then(|rest| rest.strip_prefix('-')).unwrap_or(&id);
    format!("qk_{bare}_{}", secret.as_str())
}

/// The parts of a key's text.
#[must_use]
pub fn read(text: &str) -> Option<(ApiKeyId, OpaqueToken)> {
    let (bare, secret) = text.strip_prefix("qk_")?.split_once('_')?;
    let id = format!("{}-{bare}", ApiKeyId::PREFIX).parse().ok()?;
    Some((id, OpaqueToken::try_from(secret.to_owned()).ok()?))
}

/// Whether a key may have this scope: `resource:verb` or `resource:*` of the table of permissions.
#[must_use]
pub fn is_scope(text: &str) -> bool {
    let resource = text.split_once(':').map(|(resource, _)| resource);
    resource != Some(OWN_RESOURCE) && role::is_permission(text)
}

/// Addresses that a key works from: one, or a range in CIDR notation (RFC 4632, RFC 4291).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(into = "String", try_from = "String")]
#[schema(value_type = String, example = "203.0.113.0/24")]
pub struct AddressRange(IpNet);

impl AddressRange {
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for AddressRange {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let one = || text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
        text.parse::<IpNet>()
            .or_else(|_| one())
            .map(|range| Self(range.trunc()))
            .map_err(|_| Invalid::new("address", "expected an IP address or a range like 203.0.113.0/24"))
    }
}

impl TryFrom<String> for AddressRange {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<AddressRange> for String {
    fn from(range: AddressRange) -> String {
        range.to_string()
    }
}

/// The keyed hashes of a key's secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Macs {
    pub current: [u8; 32],
    /// The one of before a rotation, and until when it works.
    pub previous: Option<([u8; 32], Timestamp)>,
}

/// All times are wall time.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub user_id: UserId,
    pub company_id: CompanyId,
    pub name: String,
    pub scopes: Vec<String>,
    /// Empty: from anywhere.
    pub addresses: Vec<AddressRange>,
    pub macs: Macs,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub rotated_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

impl ApiKey {
    /// Whether this is a secret of the key that still works; told in constant time.
    #[must_use]
    pub fn has_secret(&self, key: &Key, secret: &OpaqueToken, now: Timestamp) -> bool {
        let is = |mac: &[u8; 32]| key.verifies(secret.as_str().as_bytes(), mac);
        is(&self.macs.current) || self.macs.previous.is_some_and(|(mac, until)| now < until && is(&mac))
    }

    #[must_use]
    pub fn works(&self, address: IpAddr, now: Timestamp) -> bool {
        self.revoked_at.is_none()
            && now < self.expires_at
            && (self.addresses.is_empty() || self.addresses.iter().any(|range| range.holds(address)))
    }

    /// Replaces the secret; the one of before works until `until`.
    pub fn rotate(&mut self, mac: [u8; 32], until: Timestamp, now: Timestamp) {
        let before = std::mem::replace(&mut self.macs.current, mac);
        self.macs.previous = (until > now).then_some((before, until));
        self.rotated_at = Some(now);
    }

    /// Whether a token that was given for it may still be believed somewhere; each exchange says when it was.
    #[must_use]
    pub fn may_have_tokens(&self, now: Timestamp) -> bool {
        self.last_used_at.is_some_and(|used_at| session::may_have_tokens(used_at, now))
    }

    /// What the key may do now, if its owner may do `access` in its company.
    #[must_use]
    pub fn permissions(&self, access: &Access) -> Vec<String> {
        role::shared(&access.permissions, &self.scopes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key::from_base64("AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=").unwrap()
    }

    fn secret(byte: u8) -> OpaqueToken {
        OpaqueToken::from_bytes([byte; 32])
    }

    fn api_key(now: Timestamp) -> ApiKey {
        ApiKey {
            id: ApiKeyId::new(),
            user_id: UserId::new(),
            company_id: CompanyId::new(),
            name: "shop".to_owned(),
            scopes: vec!["orders:create".to_owned()],
            addresses: Vec::new(),
            macs: Macs { current: key().mac(secret(1).as_str().as_bytes()), previous: None },
            created_at: now,
            expires_at: now + LONGEST_LIFE,
            rotated_at: None,
            last_used_at: None,
            revoked_at: None,
        }
    }

    #[test]
    fn a_key_reads_back_as_it_was_written_whatever_its_secret_holds() {
        let id = ApiKeyId::new();
        for byte in 0..=255 {
            let text = written(id, &secret(byte));
            assert_eq!(read(&text), Some((id, secret(byte))), "{text}");
        }
        assert!(written(id, &secret(0)).starts_with("qk_0"), "{}", written(id, &secret(0)));
        for text in
            ["", "qk_", "qk__", "qk_x_y", "pk_01JD3ZK8Q5V0E8XW4T2M9R6B7C_x", "qk_01JD3ZK8Q5V0E8XW4T2M9R6B7C_"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_secret_works_until_it_is_replaced_or_its_overlap_ends() {
        let (now, hour) = (Timestamp::UNIX_EPOCH, SignedDuration::from_hours(1));
        let mut api_key = api_key(now);
        assert!(api_key.has_secret(&key(), &secret(1), now) && !api_key.has_secret(&key(), &secret(2), now));
        let mac = |byte| key().mac(secret(byte).as_str().as_bytes());
        api_key.rotate(mac(2), now + hour, now);
        assert!(api_key.has_secret(&key(), &secret(1), now) && api_key.has_secret(&key(), &secret(2), now));
        assert!(!api_key.has_secret(&key(), &secret(1), now + hour));
        api_key.rotate(mac(3), now, now);
        for old in [1, 2] {
            assert!(!api_key.has_secret(&key(), &secret(old), now), "{old}");
        }
        assert!(api_key.has_secret(&key(), &secret(3), now));
    }

    #[test]
    fn a_key_works_before_it_expires_is_revoked_and_from_its_addresses_only() {
        let now = Timestamp::UNIX_EPOCH;
        let (home, abroad): (IpAddr, IpAddr) =
            ("203.0.113.7".parse().unwrap(), "198.51.100.1".parse().unwrap());
        let anywhere = api_key(now);
        assert!(anywhere.works(home, now) && anywhere.works(abroad, now));
        assert!(!anywhere.works(home, anywhere.expires_at));
        assert!(!ApiKey { revoked_at: Some(now), ..anywhere.clone() }.works(home, now));
        let ranges = ["203.0.113.0/24", "2001:db8::/32"].map(|text| text.parse().unwrap()).to_vec();
        let bound = ApiKey { addresses: ranges, ..anywhere };
        assert!(bound.works(home, now) && !bound.works(abroad, now));
        assert!(
            bound.works("::ffff:203.0.113.7".parse().unwrap(), now),
            "the same address, as IPv6 writes it"
        );
        assert!(bound.works("2001:db8::1".parse().unwrap(), now));
    }

    #[test]
    fn a_key_has_tokens_for_as_long_as_one_may_be_believed_after_its_last_exchange() {
        let now = Timestamp::UNIX_EPOCH;
        assert!(!api_key(now).may_have_tokens(now), "it was never exchanged");
        let used = ApiKey { last_used_at: Some(now), ..api_key(now) };
        let after = |minutes| used.may_have_tokens(now + SignedDuration::from_mins(minutes));
        // Fifteen, one more at services, and one for clocks.
        assert!(after(0) && after(16) && !after(17));
    }

    #[test]
    fn ranges_are_addresses_or_cidr_and_are_written_in_one_way() {
        for (text, written) in [
            ("203.0.113.7", "203.0.113.7/32"),
            ("203.0.113.7/24", "203.0.113.0/24"),
            ("::ffff:203.0.113.7", "203.0.113.7/32"),
            ("2001:DB8::/32", "2001:db8::/32"),
        ] {
            assert_eq!(text.parse::<AddressRange>().unwrap().to_string(), written);
        }
        for text in ["", "203.0.113", "203.0.113.0/33", "example.com", "203.0.113.7 "] {
            assert!(text.parse::<AddressRange>().is_err(), "{text}");
        }
    }

    #[test]
    fn scopes_are_permissions_that_exist_and_none_of_keys_themselves() {
        assert!(is_scope("orders:create") && is_scope("orders:*"));
        for text in [
            "*",
            "*:read",
            "orders",
            "orders:",
            "orders:fly",
            "ships:read",
            "api_keys:create",
            "api_keys:*",
            "internal.companies:read",
        ] {
            assert!(!is_scope(text), "{text}");
        }
    }
}
