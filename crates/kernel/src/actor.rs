//! Who acts, and over whose rows.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    id::{CompanyId, UserId},
    invalid::Invalid,
};

/// Who caused a fact; written to the journal as `user:USER-…`, `service:order` or `system`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Actor {
    User(UserId),
    /// Another service of the platform, by its name on the bus.
    Service(String),
    /// The platform itself: a deadline, a job, an operator's command line.
    System,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Service(name) => write!(f, "service:{name}"),
            Self::System => f.write_str("system"),
        }
    }
}

impl FromStr for Actor {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text.split_once(':') {
            Some(("user", id)) => Ok(Self::User(id.parse()?)),
            Some(("service", name)) if is_service_name(name) => Ok(Self::Service(name.to_owned())),
            None if text == "system" => Ok(Self::System),
            _ => Err(Invalid::new("actor", "expected user:<id>, service:<name> or system")),
        }
    }
}

fn is_service_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

impl TryFrom<String> for Actor {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> String {
        actor.to_string()
    }
}

/// Whose rows a caller may reach. Every store function takes one, so that forgetting it does not compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The rows of one company.
    Company(CompanyId),
    /// Every company's rows: platform staff and the platform itself.
    All,
}

impl Scope {
    /// For SQL: `($n::uuid is null or company_id = $n)`.
    #[must_use]
    pub fn company_uuid(self) -> Option<Uuid> {
        match self {
            Self::Company(id) => Some(id.uuid()),
            Self::All => None,
        }
    }

    #[must_use]
    pub fn covers(self, company: CompanyId) -> bool {
        match self {
            Self::Company(own) => own == company,
            Self::All => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_read_as_it_is_written_and_nothing_else_is() {
        for text in ["service:order", "service:intl_shipping", "system"] {
            assert_eq!(text.parse::<Actor>().unwrap().to_string(), text);
        }
        for text in ["service:", "service:\0", "service:Order", "service:a b", "user:x", "robot", ""] {
            assert!(text.parse::<Actor>().is_err(), "{text:?}");
        }
    }
}
