//! Orders that come from elsewhere: what a file says, checked, and every assumption that had to be made.
//!
//! Pure: reads text that it is given, knows no file and no database.

pub(crate) mod shopify;

use std::collections::BTreeMap;

use quenty_contracts::party::Party;
use quenty_kernel::{Failure, Invalid, contact::Text, currency::Currency, id::CompanyId, money::Money};

use super::{order::PaymentMethod, product::Sku};

/// Why a row cannot be taken; the others go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowError {
    /// Of the file, the header being line 1.
    pub(crate) line: u64,
    /// The column's name.
    pub(crate) field: String,
    pub(crate) code: &'static str,
    pub(crate) detail: String,
}

impl RowError {
    pub(crate) fn new(line: u64, field: &str, code: &'static str, detail: impl Into<String>) -> Self {
        Self { line, field: field.to_owned(), code, detail: plain(&detail.into(), 500) }
    }

    pub(crate) fn invalid(line: u64, field: &str, error: &Invalid) -> Self {
        Self::new(line, field, "INVALID_FIELD", error.to_string())
    }

    /// What the order's own rules said against it.
    pub(crate) fn refused(line: u64, failure: &Failure) -> Self {
        let pointer = failure
            .errors
            .first()
            .map_or_else(String::new, |error| error.pointer.trim_start_matches('/').to_owned());
        Self::new(line, &pointer, failure.code, failure.detail.clone())
    }
}

/// Something that the file does not say and that was assumed; counted in the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Assumption {
    /// An unknown SKU became a product with a default weight and size.
    ProductEstimated,
    /// A line without SKU is known by its name.
    SkuFromName,
    /// The opening receipt covered what was short.
    StockReceived,
    /// The order waits for what is short.
    Backordered,
    /// An address abroad made the order international.
    International,
    /// "Paid" became a recorded payment.
    PaymentRecorded,
    /// A telephone number that no network would take was left out.
    PhoneLeftOut,
    /// An e-mail address that no server would take was left out.
    EmailLeftOut,
    /// The taxes are part of the prices.
    TaxesIncluded,
}

impl Assumption {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::ProductEstimated => "product_estimated",
            Self::SkuFromName => "sku_from_name",
            Self::StockReceived => "stock_received",
            Self::Backordered => "backordered",
            Self::International => "international",
            Self::PaymentRecorded => "payment_recorded",
            Self::PhoneLeftOut => "phone_left_out",
            Self::EmailLeftOut => "email_left_out",
            Self::TaxesIncluded => "taxes_included",
        }
    }
}

/// How often each assumption was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Assumptions(BTreeMap<Assumption, u32>);

impl Assumptions {
    pub(crate) fn note(&mut self, assumption: Assumption) {
        *self.0.entry(assumption).or_default() += 1;
    }

    /// For what is counted over the whole file.
    pub(crate) fn set(&mut self, assumption: Assumption, times: u32) {
        self.0.remove(&assumption);
        if times > 0 {
            self.0.insert(assumption, times);
        }
    }

    pub(crate) fn counts(&self) -> impl Iterator<Item = (&'static str, u32)> {
        self.0.iter().map(|(assumption, count)| (assumption.as_str(), *count))
    }
}

/// One line of an order from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImportedLine {
    pub(crate) sku: Sku,
    pub(crate) name: Text<200>,
    pub(crate) quantity: u32,
    pub(crate) unit_price: Money,
    pub(crate) discount: Option<Money>,
}

/// An order from elsewhere that adds up and can be placed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ImportedOrder {
    pub(crate) line: u64,
    pub(crate) reference: Text<100>,
    pub(crate) currency: Currency,
    pub(crate) consignee: Party,
    pub(crate) lines: Vec<ImportedLine>,
    pub(crate) discount: Option<Money>,
    pub(crate) shipping: Option<Money>,
    pub(crate) tax: Option<Money>,
    pub(crate) total: Money,
    pub(crate) payment_method: PaymentMethod,
    /// Paid already; the inner value is how.
    pub(crate) paid: Option<Option<String>>,
    pub(crate) notes: Option<Text<1000>>,
    pub(crate) assumptions: Assumptions,
}

/// What an import was asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ImportOptions {
    pub(crate) company_id: CompanyId,
    pub(crate) dry_run: bool,
    pub(crate) assume_stock: bool,
}

/// A cell as text that can be kept: no control characters, and not more than `limit` characters.
pub(crate) fn plain(cell: &str, limit: usize) -> String {
    cell.chars().filter(|character| !character.is_control()).take(limit).collect()
}

/// A cell that a spreadsheet would run as a formula is written as text (OWASP, "CSV injection").
pub(crate) fn escape_cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_start_a_formula_become_text() {
        for cell in ["=1+1", "+57", "-2", "@SUM(A1)", "\tx"] {
            assert_eq!(escape_cell(cell), format!("'{cell}"));
        }
        assert_eq!(escape_cell("Calle 1 = 2"), "Calle 1 = 2");
    }
}
