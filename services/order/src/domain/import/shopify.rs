//! Shopify's order export: one row per line item, the order's own fields only on its first row
//! (Shopify help centre, "Exporting orders"). Prices, discounts, shipping and taxes are kept as they are and
//! must add up.

use std::{collections::HashMap, str::FromStr};

use quenty_contracts::party::Party;
use quenty_kernel::{
    Invalid,
    address::{Address, AddressParts},
    contact::{Email, NewEmail, Phone, Text},
    country::CountryCode,
    currency::Currency,
    money::Money,
};
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

use super::{Assumption, Assumptions, ImportedLine, ImportedOrder, RowError, plain};
use crate::domain::order::PaymentMethod;

/// Columns without which a file is no order export.
const REQUIRED: [&str; 7] =
    ["Name", "Currency", "Total", "Lineitem quantity", "Lineitem name", "Lineitem price", "Shipping Country"];

/// A file that cannot be read as an order export at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the file has no column {0:?}: is it Shopify's order export as CSV?")]
pub(crate) struct MissingColumn(&'static str);

/// Where each column stands.
#[derive(Debug, Clone)]
pub(crate) struct Columns(HashMap<String, usize>);

impl Columns {
    pub(crate) fn read<'a>(header: impl IntoIterator<Item = &'a str>) -> Result<Self, MissingColumn> {
        let columns: HashMap<String, usize> = header
            .into_iter()
            .enumerate()
            .map(|(index, name)| (name.trim().trim_start_matches('\u{feff}').to_owned(), index))
            .collect();
        match REQUIRED.into_iter().find(|name| !columns.contains_key(*name)) {
            Some(missing) => Err(MissingColumn(missing)),
            None => Ok(Self(columns)),
        }
    }
}

/// One row of the file.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) line: u64,
    pub(crate) cells: Vec<String>,
}

impl Row {
    fn get<'a>(&'a self, columns: &Columns, name: &str) -> &'a str {
        columns.0.get(name).and_then(|index| self.cells.get(*index)).map_or("", |cell| cell.trim())
    }
}

/// Rows of one order that are looked at; an order with more of them is refused.
const MAX_ROWS: usize = 200;

/// Puts the rows of each order together; holds one order at a time.
#[derive(Debug)]
pub(crate) struct Grouper {
    columns: Columns,
    held: Vec<Row>,
}

impl Grouper {
    pub(crate) fn new(columns: Columns) -> Self {
        Self { columns, held: Vec::new() }
    }

    /// Takes the next row; gives the order before it, once that is whole.
    pub(crate) fn push(&mut self, row: Row) -> Option<Result<ImportedOrder, RowError>> {
        let same = self
            .held
            .first()
            .is_some_and(|first| first.get(&self.columns, "Name") == row.get(&self.columns, "Name"));
        let whole = if same { None } else { self.finish() };
        // One more than allowed tells that there are too many.
        if self.held.len() <= MAX_ROWS {
            self.held.push(row);
        }
        whole
    }

    /// Gives the last order.
    pub(crate) fn finish(&mut self) -> Option<Result<ImportedOrder, RowError>> {
        let rows = std::mem::take(&mut self.held);
        (!rows.is_empty()).then(|| order(&self.columns, &rows))
    }
}

fn order(columns: &Columns, rows: &[Row]) -> Result<ImportedOrder, RowError> {
    let Some(first) = rows.first() else {
        return Err(RowError::new(0, "Name", "EMPTY", "the order has no row"));
    };
    let reader = Reader { columns, row: first };
    refuse_what_is_over(&reader)?;
    if rows.len() > MAX_ROWS {
        return Err(reader.error(
            "Name",
            "TOO_MANY_LINES",
            format!("an order may have {MAX_ROWS} lines; this one has more"),
        ));
    }
    let mut assumptions = Assumptions::default();
    let currency: Currency = reader.parse("Currency")?;
    let lines = rows
        .iter()
        .map(|row| line(&Reader { columns, row }, currency, &mut assumptions))
        .collect::<Result<Vec<_>, _>>()?;
    let sums = Sums::read(&reader, currency, &lines, &mut assumptions)?;
    let (payment_method, paid) = payment(&reader, &mut assumptions)?;
    Ok(ImportedOrder {
        line: first.line,
        reference: reader.parse("Name")?,
        currency,
        consignee: consignee(&reader, &mut assumptions)?,
        lines,
        discount: sums.discount,
        shipping: sums.shipping,
        tax: sums.tax,
        total: sums.total,
        payment_method,
        paid,
        notes: reader.lenient("Notes"),
        assumptions,
    })
}

/// What the shop has cancelled, refunded or sent already is not sent again.
fn refuse_what_is_over(reader: &Reader) -> Result<(), RowError> {
    if reader.optional("Cancelled at").is_some() {
        return Err(reader.error("Cancelled at", "CANCELLED_IN_SHOP", "the shop has cancelled this order"));
    }
    let sent = match reader.get("Fulfillment Status").to_lowercase().as_str() {
        "fulfilled" => Some(("ALREADY_FULFILLED", "the shop has sent this order already")),
        "partial" => Some((
            "PARTLY_FULFILLED",
            "the shop has sent a part of this order already; place an order for the rest",
        )),
        _ => None,
    };
    if let Some((code, detail)) = sent {
        return Err(reader.error("Fulfillment Status", code, detail));
    }
    let status = reader.get("Financial Status").to_lowercase();
    if matches!(status.as_str(), "refunded" | "partially_refunded" | "voided" | "expired") {
        return Err(reader.error(
            "Financial Status",
            "NOT_PAYABLE",
            format!("the shop says that this order is {status}"),
        ));
    }
    // What is due would be asked for as a whole.
    if status == "partially_paid" {
        return Err(reader.error(
            "Financial Status",
            "PARTLY_PAID",
            "a part of this order is paid; import it once all of it is, or place it yourself",
        ));
    }
    Ok(())
}

fn payment(
    reader: &Reader,
    assumptions: &mut Assumptions,
) -> Result<(PaymentMethod, Option<Option<String>>), RowError> {
    let method = reader.lenient::<100>("Payment Method");
    let at_the_door = method.as_ref().is_some_and(|method| {
        let method = method.as_str().to_lowercase();
        // A word of its own: "QR code" and CoDi are paid beforehand.
        method.split(|c: char| !c.is_alphanumeric()).any(|word| word == "cod")
            || ["cash on delivery", "contraentrega", "contra entrega", "pago contra"]
                .iter()
                .any(|name| method.contains(name))
    });
    match reader.get("Financial Status").to_lowercase().as_str() {
        "paid" => {
            assumptions.note(Assumption::PaymentRecorded);
            Ok((PaymentMethod::Prepaid, Some(method.map(String::from))))
        }
        "pending" | "authorized" | "unpaid" | "" if at_the_door => Ok((PaymentMethod::CashOnDelivery, None)),
        "pending" | "authorized" | "unpaid" | "" => Ok((PaymentMethod::Prepaid, None)),
        other => Err(reader.error(
            "Financial Status",
            "UNKNOWN_STATUS",
            format!("{other} is not a payment status that we know"),
        )),
    }
}

fn line(
    reader: &Reader,
    currency: Currency,
    assumptions: &mut Assumptions,
) -> Result<ImportedLine, RowError> {
    let title = plain(reader.get("Lineitem name"), usize::MAX);
    let name: Text<200> = plain(&title, 200).parse().map_err(|e| reader.invalid("Lineitem name", &e))?;
    let sku = match reader.optional("Lineitem sku") {
        Some(sku) => sku.parse().map_err(|e| reader.invalid("Lineitem sku", &e))?,
        None => {
            assumptions.note(Assumption::SkuFromName);
            sku_of(title.trim()).parse().map_err(|e| reader.invalid("Lineitem name", &e))?
        }
    };
    let quantity = reader
        .get("Lineitem quantity")
        .parse::<u32>()
        .ok()
        .filter(|quantity| (1..=100_000).contains(quantity));
    let quantity = quantity.ok_or_else(|| {
        reader.error("Lineitem quantity", "INVALID_FIELD", "must be a whole number between 1 and 100000")
    })?;
    let unit_price = reader
        .money("Lineitem price", currency)?
        .ok_or_else(|| reader.error("Lineitem price", "INVALID_FIELD", "must be an amount like 129.90"))?;
    let discount = reader.money("Lineitem discount", currency)?.filter(|discount| !discount.is_zero());
    Ok(ImportedLine { sku, name, quantity, unit_price, discount })
}

/// What stands in for a SKU, which is the same in any case. A title ends with its variant: of one that is too long, a
/// digest tells variants apart.
fn sku_of(title: &str) -> String {
    if title.chars().count() <= 64 {
        return title.to_owned();
    }
    let start: String = title.chars().take(55).collect();
    format!("{}-{:.8x}", start.trim_end(), Sha256::digest(title.to_lowercase()))
}

fn consignee(reader: &Reader, assumptions: &mut Assumptions) -> Result<Party, RowError> {
    let field = if reader.optional("Shipping Name").is_some() { "Shipping Name" } else { "Billing Name" };
    let streets = ["Shipping Address1", "Shipping Street"];
    let street = streets.into_iter().find(|name| reader.optional(name).is_some()).unwrap_or(streets[0]);
    let owned = |name: &str| reader.optional(name).map(str::to_owned);
    let country: CountryCode = reader.parse("Shipping Country")?;
    let address = Address::new(AddressParts {
        line1: reader.get(street).to_owned(),
        line2: owned("Shipping Address2"),
        city: reader.get("Shipping City").to_owned(),
        state: owned("Shipping Province"),
        // Spreadsheets protect leading zeros with an apostrophe.
        postal_code: reader.optional("Shipping Zip").map(|zip| zip.trim_start_matches('\'').to_owned()),
        country,
        location: None,
    })
    .map_err(|e| {
        let column = match e.what() {
            "address line2" => "Shipping Address2",
            "address city" => "Shipping City",
            "address state" => "Shipping Province",
            "address postal_code" => "Shipping Zip",
            _ => street,
        };
        reader.invalid(column, &e)
    })?;
    let phone = reader
        .optional("Shipping Phone")
        .map(|phone| phone.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect::<String>());
    Ok(Party {
        name: reader.parse(field)?,
        phone: lenient::<Phone>(phone.as_deref(), Assumption::PhoneLeftOut, assumptions),
        email: lenient::<NewEmail>(reader.optional("Email"), Assumption::EmailLeftOut, assumptions)
            .map(Email::from),
        address,
    })
}

/// Contact details help, but a parcel arrives without them.
fn lenient<T: FromStr>(
    text: Option<&str>,
    otherwise: Assumption,
    assumptions: &mut Assumptions,
) -> Option<T> {
    let text = text?;
    let value = text.parse().ok();
    if value.is_none() {
        assumptions.note(otherwise);
    }
    value
}

struct Sums {
    discount: Option<Money>,
    shipping: Option<Money>,
    tax: Option<Money>,
    total: Money,
}

impl Sums {
    /// The file's sums, which must follow from its lines; nothing is corrected silently.
    fn read(
        reader: &Reader,
        currency: Currency,
        lines: &[ImportedLine],
        assumptions: &mut Assumptions,
    ) -> Result<Self, RowError> {
        let wrong = |field: &str, says: Decimal, ours: Decimal| {
            reader.error(field, "DOES_NOT_ADD_UP", format!("the file says {says}, its lines come to {ours}"))
        };
        let amount = |field: &str| {
            Ok::<_, RowError>(reader.money(field, currency)?.map_or(Decimal::ZERO, |money| money.amount()))
        };
        let goods: Decimal = lines
            .iter()
            .map(|line| {
                line.unit_price.amount() * Decimal::from(line.quantity)
                    - line.discount.map_or(Decimal::ZERO, |d| d.amount())
            })
            .sum();
        let (discount, shipping, tax) = (amount("Discount Amount")?, amount("Shipping")?, amount("Taxes")?);
        let subtotal = reader.money("Subtotal", currency)?.map_or(goods - discount, |money| money.amount());
        if subtotal != goods - discount {
            return Err(wrong("Subtotal", subtotal, goods - discount));
        }
        let total = amount("Total")?;
        let included = tax > Decimal::ZERO && total == subtotal + shipping;
        if !included && total != subtotal + shipping + tax {
            return Err(wrong("Total", total, subtotal + shipping + tax));
        }
        if included {
            assumptions.note(Assumption::TaxesIncluded);
        }
        let money = |amount: Decimal, field: &str| {
            Money::new(amount, currency).map_err(|e| reader.error(field, "INVALID_FIELD", e.to_string()))
        };
        let some = |amount: Decimal, field: &str| {
            if amount.is_zero() { Ok(None) } else { money(amount, field).map(Some) }
        };
        Ok(Self {
            discount: some(discount, "Discount Amount")?,
            shipping: some(shipping, "Shipping")?,
            tax: if included { None } else { some(tax, "Taxes")? },
            total: money(total, "Total")?,
        })
    }
}

/// One row's cells, with errors that name line and column.
struct Reader<'a> {
    columns: &'a Columns,
    row: &'a Row,
}

impl<'a> Reader<'a> {
    fn get(&self, name: &str) -> &'a str {
        self.row.get(self.columns, name)
    }
    fn optional(&self, name: &str) -> Option<&'a str> {
        Some(self.get(name)).filter(|text| !text.is_empty())
    }
    fn parse<T: FromStr<Err = Invalid>>(&self, name: &str) -> Result<T, RowError> {
        self.get(name).parse().map_err(|e| self.invalid(name, &e))
    }
    /// What helps but is not needed: as much of it as can be kept.
    fn lenient<const MAX: usize>(&self, name: &str) -> Option<Text<MAX>> {
        plain(self.get(name), MAX).trim().parse().ok()
    }
    /// An amount as spreadsheets write it (`147.9`); never negative, never finer than the currency, so that
    /// `129.900` pesos, which may be 129,900, are refused. `.00` says nothing in any currency.
    fn money(&self, name: &str, currency: Currency) -> Result<Option<Money>, RowError> {
        let Some(text) = self.optional(name) else { return Ok(None) };
        let text = text.strip_suffix(".00").unwrap_or(text);
        let money =
            Money::parse(text, currency).map_err(|e| self.error(name, "INVALID_FIELD", e.to_string()))?;
        if money.is_negative() {
            return Err(self.error(name, "NEGATIVE_AMOUNT", "an amount must not be negative here"));
        }
        Ok(Some(money))
    }
    fn error(&self, name: &str, code: &'static str, detail: impl Into<String>) -> RowError {
        RowError::new(self.row.line, name, code, detail)
    }
    fn invalid(&self, name: &str, error: &Invalid) -> RowError {
        RowError::invalid(self.row.line, name, error)
    }
}

#[cfg(test)]
mod tests;
