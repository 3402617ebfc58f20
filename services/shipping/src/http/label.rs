//! The shipping label of our own carrier as a PDF of 4 × 6 inches, a page for each parcel.
//!
//! Pure: the same label gives the same bytes. It prints what it is told and never looks anything up.

pub(super) mod canvas;
mod code128;
mod codes;
mod layout;
#[cfg(test)]
mod tests;
pub(super) mod text;

use super::pdf::Document;
use crate::domain::tracking_number::TrackingNumber;
use canvas::{PAGE_HEIGHT, PAGE_WIDTH};
use jiff::civil::Date;
use quenty_kernel::address::Address;
use quenty_kernel::measure::Grams;
use quenty_kernel::money::Money;

/// What a label says.
#[derive(Debug, Clone)]
pub struct Label<'a> {
    /// The name of the service: `Express`.
    pub service: &'a str,
    pub sender: Party<'a>,
    pub recipient: Party<'a>,
    /// The weight of each parcel; each becomes a page, "n of m".
    pub parcels: &'a [Grams],
    /// `DAP` or `DDP`, for international shipments.
    pub incoterm: Option<&'a str>,
    pub order_reference: &'a str,
    pub promised_date: Option<Date>,
    /// What the driver collects for the whole shipment.
    pub cash_on_delivery: Option<Money>,
    pub tracking_number: TrackingNumber,
    /// What the QR code opens.
    pub tracking_url: &'a str,
}

/// Who sends or receives.
#[derive(Debug, Clone)]
pub struct Party<'a> {
    pub name: &'a str,
    pub company: Option<&'a str>,
    pub phone: Option<&'a str>,
    pub address: &'a Address,
    /// The country in words, as the postal services of both ends read it.
    pub country_name: &'a str,
}

/// Why a label cannot be printed. It names the field and never its content, which is personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    #[error("a label needs at least one parcel")]
    NoParcels,
    #[error("the {field} has a character that cannot be printed, write it in latin letters")]
    Unprintable { field: &'static str },
    #[error("the {field} does not fit on the label, shorten it")]
    TooLong { field: &'static str },
}

/// Draws the label.
///
/// # Errors
/// When a text is not in Latin letters or does not fit, or there is no parcel.
pub fn label_pdf(label: &Label<'_>) -> Result<Vec<u8>, LabelError> {
    if label.parcels.is_empty() {
        return Err(LabelError::NoParcels);
    }
    let mut document = Document::new(&label.tracking_number.to_string(), PAGE_WIDTH, PAGE_HEIGHT);
    for (at, &weight) in label.parcels.iter().enumerate() {
        document.page(&layout::page(label, at + 1, weight)?);
    }
    Ok(document.finish())
}
