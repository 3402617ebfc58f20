//! Lists: keyset cursors, never an offset (design/conventions.md, "HTTP", lists).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::invalid::Invalid;

const DEFAULT_LIMIT: u8 = 20;
const MAX_LIMIT: u8 = 100;

/// Where a page ended: opaque to clients, the last row's id inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(into = "String", try_from = "String")]
#[schema(value_type = String, example = "c_0193f3b0a7c57f0e9d3b1c2a4e5f6071")]
pub struct Cursor(Uuid);

impl Cursor {
    #[must_use]
    pub fn after(id: impl Into<Uuid>) -> Self {
        Self(id.into())
    }
    #[must_use]
    pub fn uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c_{}", self.0.simple())
    }
}

impl FromStr for Cursor {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        text.strip_prefix("c_")
            .and_then(|hex| Uuid::try_parse(hex).ok())
            .map(Self)
            .ok_or_else(|| Invalid::new("cursor", "expected the next_cursor of an earlier page"))
    }
}

impl TryFrom<String> for Cursor {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<Cursor> for String {
    fn from(cursor: Cursor) -> String {
        cursor.to_string()
    }
}

/// How many items a page holds: 1 to 100, 20 unless told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(try_from = "u64")]
#[schema(value_type = u8, minimum = 1, maximum = 100, default = 20)]
pub struct Limit(u8);

impl Default for Limit {
    fn default() -> Self {
        Self(DEFAULT_LIMIT)
    }
}

impl TryFrom<u64> for Limit {
    type Error = Invalid;
    fn try_from(value: u64) -> Result<Self, Invalid> {
        match u8::try_from(value) {
            Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(Self(limit)),
            _ => Err(Invalid::new("limit", format!("must lie between 1 and {MAX_LIMIT}"))),
        }
    }
}

/// The paging parameters of every list operation, newest first.
#[derive(Debug, Clone, Copy, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Items a page, 1 to 100.
    #[serde(default)]
    #[param(inline, required = false)]
    pub limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    pub cursor: Option<Cursor>,
}

impl PageQuery {
    #[must_use]
    pub fn first(limit: u8) -> Self {
        Self { limit: Limit(limit.clamp(1, MAX_LIMIT)), cursor: None }
    }

    /// For SQL: `($n::uuid is null or id < $n)`.
    #[must_use]
    pub fn before(&self) -> Option<Uuid> {
        self.cursor.map(Cursor::uuid)
    }

    /// For SQL: `limit $n`; one more than the page holds, to know whether another follows.
    #[must_use]
    pub fn fetch(&self) -> i64 {
        i64::from(self.limit.0) + 1
    }
}

/// One page of a list.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Pass it as `cursor` to get the next page; null on the last one.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page of rows fetched with [`PageQuery::fetch`].
    #[must_use]
    pub fn from_rows(mut rows: Vec<T>, query: &PageQuery, id: impl Fn(&T) -> Uuid) -> Self {
        let limit = usize::from(query.limit.0);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = more.then(|| rows.last().map(|row| Cursor::after(id(row)).to_string())).flatten();
        Self { items: rows, next_cursor }
    }

    #[must_use]
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next_cursor: self.next_cursor }
    }
}
