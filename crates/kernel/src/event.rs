//! Facts and their envelope. A fact is what an aggregate's method returns and the journal keeps;
//! an event is a fact of the published language, carried to other services in an [`Envelope`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use uuid::Uuid;

use crate::{actor::Actor, id::CompanyId};

/// One type of fact.
pub trait Event: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// `quenty.<service>.<aggregate>.<past participle>.v<n>`.
    const TYPE: &'static str;
    /// Whether other services may hear it; private facts stay in the journal.
    const PUBLISHED: bool = true;
    /// Top-level fields that hold personal data: the journal keeps them beside the hash chain, erasable.
    const PERSONAL: &'static [&'static str] = &[];
}

/// All facts of one aggregate: what [`crate::facts!`] generates.
pub trait Fact: Sized {
    fn kind(&self) -> &'static str;
    fn published(&self) -> bool;
    fn personal(&self) -> &'static [&'static str];
    /// # Errors
    /// When a field cannot be written as JSON.
    fn data(&self) -> serde_json::Result<Value>;
    /// Reads a fact back from the journal.
    ///
    /// # Errors
    /// When the type is not one of this aggregate's, or the data do not fit it.
    fn read(kind: &str, data: Value) -> Result<Self, UnreadableFact>;
}

/// A journal entry that this version of the code cannot read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read a fact of type {kind}: {why}")]
pub struct UnreadableFact {
    pub kind: String,
    pub why: String,
}

/// Declares the enum of one aggregate's facts, each variant holding its [`Event`] struct.
#[macro_export]
macro_rules! facts {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($variant:ident($event:ty)),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        #[must_use = "a fact that is not recorded did not happen"]
        $vis enum $name { $($variant($event)),+ }

        $(impl From<$event> for $name {
            fn from(event: $event) -> Self {
                Self::$variant(event)
            }
        })+

        impl $crate::event::Fact for $name {
            fn kind(&self) -> &'static str {
                match self { $(Self::$variant(_) => <$event as $crate::event::Event>::TYPE),+ }
            }
            fn published(&self) -> bool {
                match self { $(Self::$variant(_) => <$event as $crate::event::Event>::PUBLISHED),+ }
            }
            fn personal(&self) -> &'static [&'static str] {
                match self { $(Self::$variant(_) => <$event as $crate::event::Event>::PERSONAL),+ }
            }
            fn data(&self) -> serde_json::Result<serde_json::Value> {
                match self { $(Self::$variant(event) => serde_json::to_value(event)),+ }
            }
            fn read(kind: &str, data: serde_json::Value) -> Result<Self, $crate::event::UnreadableFact> {
                let unreadable = |why: String| $crate::event::UnreadableFact { kind: kind.to_owned(), why };
                $(if kind == <$event as $crate::event::Event>::TYPE {
                    return serde_json::from_value(data).map(Self::$variant).map_err(|e| unreadable(e.to_string()));
                })+
                Err(unreadable("no such fact in this aggregate".to_owned()))
            }
        }
    };
}

/// CloudEvents 1.0 with Quenty's extension attributes (design/conventions.md, "Events").
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    pub specversion: String,
    pub id: Uuid,
    /// `/quenty/<service>`.
    pub source: String,
    #[serde(rename = "type")]
    pub kind: String,
    /// The stream: the id of the aggregate.
    pub subject: String,
    pub time: Timestamp,
    pub dataschema: String,
    pub datacontenttype: String,
    pub company_id: Option<CompanyId>,
    pub actor: Actor,
    pub correlation_id: Uuid,
    pub causation_id: Option<Uuid>,
    pub stream_version: i64,
    pub traceparent: Option<String>,
    pub data: Value,
}

impl Envelope {
    /// The service that published it, by its name on the bus.
    #[must_use]
    pub fn publisher(&self) -> &str {
        self.source.rsplit('/').next().unwrap_or_default()
    }
}
