//! A platform role that staff made, beside the roles of the code.

use std::str::FromStr;

use jiff::Timestamp;
use quenty_contracts::auth::RoleChanged;
use quenty_kernel::{Invalid, id::RoleId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{facts::RoleFact, role::ROLES};

/// How many there may be.
pub const MOST_ROLES: i64 = 100;

/// Lower-case words with underscores; no name of a role of the code.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, pattern = "^[a-z][a-z0-9_]{2,39}$", example = "night_dispatcher")]
pub struct RoleName(String);

impl RoleName {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoleName {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let fits = (3..=40).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !fits {
            return Err(Invalid::new("role", "must have 3 to 40 lower-case letters, digits and underscores"));
        }
        if ROLES.iter().any(|role| role.name == text) {
            return Err(Invalid::new("role", "is the name of a role that cannot be changed"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for RoleName {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomRole {
    pub id: RoleId,
    pub name: String,
    pub about: String,
    /// Sorted, each once.
    pub permissions: Vec<String>,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

fn sorted(mut permissions: Vec<String>) -> Vec<String> {
    permissions.sort_unstable();
    permissions.dedup();
    permissions
}

impl CustomRole {
    pub fn new(
        id: RoleId,
        name: &RoleName,
        about: String,
        permissions: Vec<String>,
        now: Timestamp,
    ) -> (Self, RoleFact) {
        let role = Self {
            id,
            name: name.as_str().to_owned(),
            about,
            permissions: sorted(permissions),
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let fact = role.told(false);
        (role, fact)
    }

    pub fn update(&mut self, about: String, permissions: Vec<String>, now: Timestamp) -> RoleFact {
        (self.about, self.permissions) = (about, sorted(permissions));
        (self.version, self.updated_at) = (self.version + 1, now);
        self.told(false)
    }

    /// What others hear of it, as it is or as it was when it was removed.
    pub fn told(&self, removed: bool) -> RoleFact {
        let (role_id, name, permissions) = (self.id, self.name.clone(), self.permissions.clone());
        RoleChanged { role_id, name, permissions, removed }.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_has_a_plain_name_of_its_own() {
        for text in ["", "ab", "Night", "night shift", "1night", "super_admin", "owner", "nächte"] {
            assert!(text.parse::<RoleName>().is_err(), "{text}");
        }
        assert!("night_dispatcher_2".parse::<RoleName>().is_ok());
    }

    #[test]
    fn each_permission_stands_once_and_a_change_is_a_new_version() {
        let now = Timestamp::UNIX_EPOCH;
        let permissions = ["orders:read", "orders:hold", "orders:read"].map(str::to_owned).to_vec();
        let name = "night_shift".parse().unwrap();
        let (mut role, _) = CustomRole::new(RoleId::new(), &name, "x".to_owned(), permissions, now);
        assert_eq!(role.permissions, ["orders:hold", "orders:read"]);
        let _ = role.update("y".to_owned(), vec!["rates:read".to_owned()], now);
        assert_eq!((role.version, role.permissions.as_slice()), (2, &["rates:read".to_owned()][..]));
    }
}
