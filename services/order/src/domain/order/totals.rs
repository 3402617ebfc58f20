//! What an order costs and weighs: recomputed here from prices and quantities, whatever the caller believes.

use quenty_contracts::{
    order::{OrderLine, OrderTotals},
    party::{Item, Parcel},
};
use quenty_kernel::{
    country::CountryCode,
    currency::Currency,
    id::ProductId,
    measure::{Dimensions, Grams},
    money::{Money, MoneyError, round_half_even},
};
use rust_decimal::Decimal;

/// A parcel that one person can lift; a heavier piece travels alone.
const PARCEL_GRAMS: u64 = 30_000;

/// What is known of a product when it is ordered.
#[derive(Debug, Clone, PartialEq)]
pub struct Sold {
    pub product_id: ProductId,
    pub sku: String,
    pub name: String,
    pub unit_weight: Grams,
    pub dimensions: Option<Dimensions>,
    pub hs_code: Option<String>,
    pub country_of_origin: Option<CountryCode>,
}

/// A line before it is added up.
#[derive(Debug, Clone, PartialEq)]
pub struct LineDraft {
    pub sold: Sold,
    pub quantity: u32,
    pub unit_price: Money,
    pub discount: Option<Money>,
    pub tax: Option<Money>,
}

/// What applies to the order as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extras {
    pub discount: Option<Money>,
    pub shipping: Option<Money>,
    pub tax: Option<Money>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TotalsError {
    #[error("the order has no lines")]
    NoLines,
    #[error("the quantity of line {line} is zero")]
    NoQuantity { line: usize },
    #[error("an amount of the order: {source}")]
    Money { pointer: String, source: MoneyError },
    #[error("a discount is greater than what it is taken from")]
    DiscountTooLarge { pointer: String },
    #[error("the order weighs more than a tonne")]
    TooHeavy,
}

fn at(pointer: impl Into<String>) -> impl FnOnce(MoneyError) -> TotalsError {
    let pointer = pointer.into();
    move |source| TotalsError::Money { pointer, source }
}

fn amount(given: Option<Money>, currency: Currency, pointer: &str) -> Result<Money, TotalsError> {
    let amount = given.unwrap_or_else(|| Money::zero(currency));
    Money::zero(currency).checked_add(amount).and_then(Money::non_negative).map_err(at(pointer))
}

fn line(draft: &LineDraft, currency: Currency, index: usize) -> Result<(OrderLine, Money), TotalsError> {
    let pointer = |field: &str| format!("/lines/{index}/{field}");
    if draft.quantity == 0 {
        return Err(TotalsError::NoQuantity { line: index });
    }
    let price = amount(Some(draft.unit_price), currency, &pointer("unit_price"))?;
    let discount = amount(draft.discount, currency, &pointer("discount"))?;
    let tax = amount(draft.tax, currency, &pointer("tax"))?;
    let gross = price.times(draft.quantity).map_err(at(pointer("quantity")))?;
    let net = gross.checked_sub(discount).map_err(at(pointer("discount")))?;
    if net.is_negative() {
        return Err(TotalsError::DiscountTooLarge { pointer: pointer("discount") });
    }
    let line = OrderLine {
        product_id: draft.sold.product_id,
        sku: draft.sold.sku.clone(),
        name: draft.sold.name.clone(),
        quantity: draft.quantity,
        unit_price: price,
        discount,
        tax,
        total: net.checked_add(tax).map_err(at(pointer("tax")))?,
    };
    Ok((line, gross))
}

/// Adds an order up in the currency of its first line; another currency anywhere is an error.
pub fn add_up(drafts: &[LineDraft], extras: Extras) -> Result<(Vec<OrderLine>, OrderTotals), TotalsError> {
    let currency = drafts.first().ok_or(TotalsError::NoLines)?.unit_price.currency();
    let order_discount = amount(extras.discount, currency, "/discount")?;
    let shipping = amount(extras.shipping, currency, "/shipping")?;
    let order_tax = amount(extras.tax, currency, "/tax")?;
    let (mut lines, mut gross) = (Vec::with_capacity(drafts.len()), Vec::with_capacity(drafts.len()));
    for (index, draft) in drafts.iter().enumerate() {
        let (line, line_gross) = line(draft, currency, index)?;
        lines.push(line);
        gross.push(line_gross);
    }
    let sum =
        |amounts: &mut dyn Iterator<Item = Money>| Money::total(currency, amounts).map_err(at("/lines"));
    let subtotal = sum(&mut gross.into_iter())?;
    let discount = sum(&mut lines.iter().map(|line| line.discount).chain([order_discount]))?;
    let tax = sum(&mut lines.iter().map(|line| line.tax).chain([order_tax]))?;
    let net = subtotal.checked_sub(discount).map_err(at("/discount"))?;
    if net.is_negative() {
        return Err(TotalsError::DiscountTooLarge { pointer: "/discount".to_owned() });
    }
    let total = sum(&mut [net, shipping, tax].into_iter())?;
    Ok((lines, OrderTotals { subtotal, discount, shipping, tax, total }))
}

/// What customs want to know of the lines.
#[must_use]
pub fn items(drafts: &[LineDraft]) -> Vec<Item> {
    drafts
        .iter()
        .map(|draft| Item {
            sku: draft.sold.sku.clone(),
            description: draft.sold.name.clone(),
            hs_code: draft.sold.hs_code.clone(),
            origin: draft.sold.country_of_origin,
            quantity: draft.quantity,
            unit_value: unit_value(draft),
            unit_weight_grams: draft.sold.unit_weight,
        })
        .collect()
}

/// What one piece comes to with its line's discount off: customs want to know what is paid for it.
fn unit_value(draft: &LineDraft) -> Money {
    let currency = draft.unit_price.currency();
    let off = draft.discount.map_or(Decimal::ZERO, Money::amount);
    let off = off.checked_div(draft.quantity.into()).unwrap_or_default();
    Money::new(round_half_even(draft.unit_price.amount() - off, currency), currency)
        .unwrap_or(draft.unit_price)
}

/// Packs the pieces, in the order of the lines, into parcels that one person can lift. Only a single
/// piece has known dimensions.
pub fn parcels(drafts: &[LineDraft]) -> Result<Vec<Parcel>, TotalsError> {
    let weight: u64 =
        drafts.iter().map(|draft| u64::from(draft.quantity) * u64::from(draft.sold.unit_weight.get())).sum();
    if weight > u64::from(Grams::MAX.get()) {
        return Err(TotalsError::TooHeavy);
    }
    let mut filled: Vec<u64> = Vec::new();
    for draft in drafts {
        let piece = u64::from(draft.sold.unit_weight.get());
        for _ in 0..draft.quantity {
            match filled.last_mut() {
                Some(parcel) if *parcel + piece <= PARCEL_GRAMS => *parcel += piece,
                _ => filled.push(piece),
            }
        }
    }
    let dimensions = match drafts {
        [only] if only.quantity == 1 => only.sold.dimensions,
        _ => None,
    };
    filled
        .into_iter()
        .map(|grams| {
            let weight = u32::try_from(grams)
                .ok()
                .and_then(|grams| Grams::new(grams).ok())
                .ok_or(TotalsError::TooHeavy)?;
            Ok(Parcel { weight_grams: weight, dimensions, fragile: false })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quenty_kernel::money::Money;

    use super::*;

    fn cop(amount: &str) -> Money {
        Money::parse(amount, Currency::COP).unwrap()
    }

    fn draft(quantity: u32, price: Money, grams: u32) -> LineDraft {
        let sold = Sold {
            product_id: ProductId::new(),
            sku: "CAFE-500".to_owned(),
            name: "Café 500 g".to_owned(),
            unit_weight: Grams::new(grams).unwrap(),
            dimensions: None,
            hs_code: None,
            country_of_origin: None,
        };
        LineDraft { sold, quantity, unit_price: price, discount: None, tax: None }
    }

    #[test]
    fn totals_add_up_as_the_contract_says() {
        let drafts = [
            LineDraft { discount: Some(cop("1000")), tax: Some(cop("3610")), ..draft(2, cop("10000"), 500) },
            draft(1, cop("5000"), 300),
        ];
        let extras = Extras { discount: Some(cop("500")), shipping: Some(cop("8000")), tax: Some(cop("90")) };
        let (lines, totals) = add_up(&drafts, extras).unwrap();
        assert_eq!(lines[0].total, cop("22610"));
        assert_eq!((totals.subtotal, totals.discount, totals.tax), (cop("25000"), cop("1500"), cop("3700")));
        assert_eq!(totals.total, cop("35200"));
        let values: Vec<_> = items(&drafts).iter().map(|item| item.unit_value).collect();
        assert_eq!(values, [cop("9500"), cop("5000")], "customs hear what is paid for a piece");
    }

    #[test]
    fn what_cannot_be_added_up_names_the_field() {
        let usd = Money::parse("1", Currency::USD).unwrap();
        let pointer = |drafts: &[LineDraft], extras| match add_up(drafts, extras) {
            Err(TotalsError::Money { pointer, .. } | TotalsError::DiscountTooLarge { pointer }) => pointer,
            other => panic!("{other:?}"),
        };
        let one = draft(1, cop("10"), 1);
        assert_eq!(pointer(&[one.clone(), draft(1, usd, 1)], Extras::default()), "/lines/1/unit_price");
        assert_eq!(
            pointer(&[LineDraft { discount: Some(cop("11")), ..one.clone() }], Extras::default()),
            "/lines/0/discount"
        );
        assert_eq!(
            pointer(&[LineDraft { tax: Some(cop("-1")), ..one.clone() }], Extras::default()),
            "/lines/0/tax"
        );
        assert_eq!(
            pointer(std::slice::from_ref(&one), Extras { discount: Some(cop("11")), ..Extras::default() }),
            "/discount"
        );
        assert_eq!(pointer(&[one], Extras { shipping: Some(usd), ..Extras::default() }), "/shipping");
        assert_eq!(
            pointer(&[draft(u32::MAX, cop("999999999999999"), 1)], Extras::default()),
            "/lines/0/quantity"
        );
        assert_eq!(
            add_up(&[draft(0, cop("1"), 1)], Extras::default()),
            Err(TotalsError::NoQuantity { line: 0 })
        );
        assert_eq!(add_up(&[], Extras::default()), Err(TotalsError::NoLines));
    }

    #[test]
    fn an_order_above_a_tonne_is_refused_before_it_is_packed() {
        assert_eq!(parcels(&[draft(u32::MAX, cop("1"), 1_000_000)]), Err(TotalsError::TooHeavy));
        assert_eq!(parcels(&[draft(1, cop("1"), 40_000)]).unwrap().len(), 1);
    }

    proptest! {
        #[test]
        fn parcels_weigh_what_the_lines_weigh(pieces in prop::collection::vec((1_u32..20, 1_u32..40_000), 1..6)) {
            let drafts: Vec<_> = pieces.iter().map(|(quantity, grams)| draft(*quantity, cop("1"), *grams)).collect();
            let expected: u64 = pieces.iter().map(|(quantity, grams)| u64::from(*quantity) * u64::from(*grams)).sum();
            match parcels(&drafts) {
                Ok(parcels) => {
                    let packed: u64 = parcels.iter().map(|parcel| u64::from(parcel.weight_grams.get())).sum();
                    prop_assert_eq!(packed, expected);
                }
                Err(_) => prop_assert!(expected > 1_000_000),
            }
        }
    }
}
