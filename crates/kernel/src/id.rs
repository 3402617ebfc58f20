//! Typed identifiers: `PREFIX-` and the 26 Crockford base-32 characters of a UUIDv7
//! (design/conventions.md, "Names and types"). A wrong prefix is an error, never a look-up.

use std::fmt;

use utoipa::openapi::schema::{ObjectBuilder, Type};
use uuid::Uuid;

use crate::invalid::Invalid;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const ENCODED_LENGTH: usize = 26;

/// What all typed ids have in common, for code that serves every aggregate.
pub trait TypedId: Copy + fmt::Display {
    /// The characters before the dash.
    const PREFIX: &'static str;
    fn uuid(self) -> Uuid;
}

/// A new UUIDv7, for the few ids that have no prefix (events, correlation).
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place where ids are made")]
pub fn new_uuid() -> Uuid {
    Uuid::now_v7()
}

fn encode(uuid: Uuid, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let value = uuid.as_u128();
    for position in (0..ENCODED_LENGTH).rev() {
        let index = (value >> (5 * position)) & 31;
        fmt::Write::write_char(f, char::from(ALPHABET[index as usize]))?;
    }
    Ok(())
}

fn decode(text: &str) -> Option<Uuid> {
    if text.len() != ENCODED_LENGTH {
        return None;
    }
    let mut value: u128 = 0;
    for (position, byte) in text.bytes().enumerate() {
        let digit = ALPHABET.iter().position(|c| *c == byte)? as u128;
        // 26 characters hold 130 bits: the first one may only carry the top three.
        if position == 0 && digit > 7 {
            return None;
        }
        value = (value << 5) | digit;
    }
    Some(Uuid::from_u128(value))
}

/// Writes an id as text; used by the `ids!` macro.
#[doc(hidden)]
pub fn write_id(prefix: &str, uuid: Uuid, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(prefix)?;
    f.write_str("-")?;
    encode(uuid, f)
}

/// Reads an id of the given prefix; used by the `ids!` macro.
#[doc(hidden)]
pub fn read_id(prefix: &'static str, text: &str) -> Result<Uuid, Invalid> {
    text.strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('-'))
        .and_then(decode)
        .ok_or_else(|| Invalid::new("id", format!("expected an id like {prefix}-01JD3ZK8Q5V0E8XW4T2M9R6B7C")))
}

/// The UUID in an id of whatever kind; for what is asked about anything at all.
#[must_use]
pub fn uuid_of(id: &str) -> Option<Uuid> {
    id.split_once('-').and_then(|(_, encoded)| decode(encoded))
}

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident $prefix:literal;)+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// A new id; ids made later sort later.
            #[expect(clippy::new_without_default, reason = "a default id would be a new one each time")]
            #[must_use]
            pub fn new() -> Self {
                Self(new_uuid())
            }
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl TypedId for $name {
            const PREFIX: &'static str = $prefix;
            fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .pattern(Some(concat!("^", $prefix, "-[0-9A-HJKMNP-TV-Z]{26}$")))
                    .examples([concat!($prefix, "-01JD3ZK8Q5V0E8XW4T2M9R6B7C")])
                    .build()
                    .into()
            }
        }
        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_id($prefix, self.0, f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl std::str::FromStr for $name {
            type Err = Invalid;
            fn from_str(text: &str) -> Result<Self, Invalid> {
                read_id($prefix, text).map(Self)
            }
        }
        impl TryFrom<String> for $name {
            type Error = Invalid;
            fn try_from(text: String) -> Result<Self, Invalid> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }
        impl From<$name> for Uuid {
            fn from(id: $name) -> Uuid {
                id.0
            }
        }
    )+};
}

ids! {
    /// A person who logs in; identity in Auth, profile in Customer.
    UserId "USER";
    /// A person of the platform who reads what is personal: their chain of records in each service, by the id of the person.
    ReaderId "READ";
    RoleId "ROLE";
    SigningKeyId "KEY";
    SessionId "SES";
    /// A machine that acts for a person.
    ApiKeyId "AKEY";
    /// A key that a person's authenticator keeps.
    PasskeyId "PASS";
    ClientId "CLI";
    /// The merchant; the tenant.
    CompanyId "COMP";
    MemberId "MEMB";
    /// Whom a company sells and ships to.
    CustomerId "CUST";
    /// Somebody asks that what is held about a person is erased.
    PrivacyRequestId "PRIV";
    AddressId "ADDR";
    ProductId "PROD";
    WarehouseId "WH";
    OrderId "ORD";
    ReservationId "RES";
    MovementId "MOV";
    /// Goods on the way between two warehouses.
    TransferId "TRF";
    ImportId "IMP";
    ShipmentId "SHIP";
    ManifestId "MAN";
    TrackingEventId "TRK";
    QuoteId "QUO";
    PickupId "PU";
    DriverId "DRV";
    VehicleId "VEH";
    ServiceAreaId "AREA";
    ReturnId "RET";
    RecallId "RCL";
    InspectionId "INSP";
    /// What became of one returned unit.
    DispositionId "DISP";
    RefundId "RFND";
    PhotoId "PHO";
    TaskId "TASK";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_writes() {
        let id = OrderId::new();
        assert_eq!(id.to_string().parse::<OrderId>().unwrap(), id);
        assert_eq!(id.to_string().len(), "ORD-".len() + 26);
        assert_eq!(uuid_of(&id.to_string()), Some(id.uuid()));
        assert_eq!(uuid_of("ORD"), None);
    }

    #[test]
    fn the_prefix_is_part_of_the_id() {
        let text = OrderId::new().to_string().replace("ORD", "PU");
        assert!(text.parse::<OrderId>().is_err());
        assert!(text.parse::<PickupId>().is_ok());
    }

    #[test]
    fn text_that_is_no_id_is_refused() {
        for text in [
            "",
            "ORD",
            "ORD-",
            "ORD-1",
            "ord-01JD3ZK8Q5V0E8XW4T2M9R6B7C",
            "ORD-81JD3ZK8Q5V0E8XW4T2M9R6B7C",
            "ORD-01JD3ZK8Q5V0E8XW4T2M9R6B7U",
        ] {
            assert!(text.parse::<OrderId>().is_err(), "{text}");
        }
    }

    #[test]
    fn later_ids_sort_later_as_text_too() {
        let (a, b) = (OrderId::new(), OrderId::new());
        assert!(a < b && a.to_string() < b.to_string());
    }
}
