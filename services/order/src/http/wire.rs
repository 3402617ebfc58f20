//! Shapes and readers that several resources share.

use jiff::civil::Date;
use quenty_kernel::{
    Invalid, PageQuery,
    contact::Text,
    page::{Cursor, Limit},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::domain::stock::{Batch, MAX_PIECES};

/// Of a list that is narrowed by nothing. An unknown parameter is a typing error, here as in every list.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// Items a page, 1 to 100.
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

impl From<Paging> for PageQuery {
    fn from(paging: Paging) -> Self {
        Self { limit: paging.limit, cursor: paging.cursor }
    }
}

/// A lot of one product that was made, and goes bad, together.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BatchWire {
    /// The number that its maker gave it.
    number: Text<60>,
    /// From this day on it is not sold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "date", example = "2027-03-31")]
    expires_on: Option<Date>,
}

impl From<BatchWire> for Batch {
    fn from(batch: BatchWire) -> Self {
        Self { number: batch.number, expires_on: batch.expires_on }
    }
}

impl From<&Batch> for BatchWire {
    fn from(batch: &Batch) -> Self {
        Self { number: batch.number.clone(), expires_on: batch.expires_on }
    }
}

/// A number of pieces that somebody states: 1 to a thousand million.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(try_from = "u32")]
#[schema(value_type = u32, minimum = 1, maximum = 1_000_000_000, example = 10)]
pub(super) struct Pieces(u32);

impl TryFrom<u32> for Pieces {
    type Error = Invalid;

    fn try_from(pieces: u32) -> Result<Self, Invalid> {
        if (1..=MAX_PIECES).contains(&pieces) {
            Ok(Self(pieces))
        } else {
            Err(Invalid::new("quantity", format!("must lie between 1 and {MAX_PIECES}")))
        }
    }
}

impl From<Pieces> for u32 {
    fn from(pieces: Pieces) -> Self {
        pieces.0
    }
}

/// A number of pieces at which something happens; none left is one, too.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(try_from = "u32")]
#[schema(value_type = u32, minimum = 0, maximum = 1_000_000_000, example = 10)]
pub(super) struct Threshold(u32);

impl TryFrom<u32> for Threshold {
    type Error = Invalid;

    fn try_from(pieces: u32) -> Result<Self, Invalid> {
        if pieces <= MAX_PIECES {
            Ok(Self(pieces))
        } else {
            Err(Invalid::new("threshold", format!("must lie between 0 and {MAX_PIECES}")))
        }
    }
}

impl From<Threshold> for u32 {
    fn from(pieces: Threshold) -> Self {
        pieces.0
    }
}
