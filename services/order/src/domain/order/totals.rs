//! What an order costs and weighs: recomputed here from prices and quantities, whatever the caller believes.

use std::cmp::Reverse;

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

/// What customs want to know of the lines, one for each: so Returns reads them. What is sent is [`declared`].
pub fn items(
    drafts: &[LineDraft],
    lines: &[OrderLine],
    totals: &OrderTotals,
) -> Result<Vec<Item>, TotalsError> {
    let nets = nets(lines, totals).map_err(at("/lines"))?;
    let item = |(draft, net): (&LineDraft, Money)| Item {
        sku: draft.sold.sku.clone(),
        description: draft.sold.name.clone(),
        hs_code: draft.sold.hs_code.clone(),
        origin: draft.sold.country_of_origin,
        quantity: draft.quantity,
        unit_value: unit_value(draft, net),
        unit_weight_grams: draft.sold.unit_weight,
    };
    Ok(drafts.iter().zip(nets).map(item).collect())
}

/// What one piece comes to with all discounts off: customs want to know what is paid for it.
fn unit_value(draft: &LineDraft, net: Money) -> Money {
    let exact = net.amount().checked_div(draft.quantity.into()).unwrap_or_default();
    Money::new(round_half_even(exact, net.currency()), net.currency()).unwrap_or(draft.unit_price)
}

/// The items as they are declared: together they are worth exactly what is paid for the goods. Where that does not divide
/// among the pieces of a line, some of them are declared a minor unit dearer than the others.
pub fn declared(items: &[Item], lines: &[OrderLine], totals: &OrderTotals) -> Result<Vec<Item>, MoneyError> {
    let pieces = |(item, net): (&Item, Money)| {
        let (minor, quantity) = (net.amount().mantissa(), i128::from(item.quantity.max(1)));
        let dearer = u32::try_from(minor % quantity).unwrap_or_default();
        [(dearer, minor / quantity + 1), (item.quantity - dearer, minor / quantity)]
            .into_iter()
            .filter(|(quantity, _)| *quantity > 0)
            .map(|(quantity, minor)| {
                let unit_value = of_minor_units(minor, net.currency())?;
                Ok(Item { quantity, unit_value, ..item.clone() })
            })
            .collect::<Result<Vec<_>, MoneyError>>()
    };
    let declared: Vec<_> = items.iter().zip(nets(lines, totals)?).map(pieces).collect::<Result<_, _>>()?;
    Ok(declared.concat())
}

/// What is paid for the goods of each line, taxes beside. A discount of the whole order goes by what the lines cost: each
/// gets its exact share rounded down, and the minor units that are left over go to the greatest remainders.
fn nets(lines: &[OrderLine], totals: &OrderTotals) -> Result<Vec<Money>, MoneyError> {
    let net = totals.subtotal.checked_sub(totals.discount)?;
    // Money keeps exactly its currency's decimals, so that its mantissa counts minor units.
    let whole = net.amount().mantissa();
    let costs = lines.iter().map(|line| Ok(line.total.checked_sub(line.tax)?.amount().mantissa()));
    let costs = costs.collect::<Result<Vec<i128>, MoneyError>>()?;
    // Of goods that were free nothing is left, either.
    let of = costs.iter().sum::<i128>().max(1);
    let mut shares = Vec::with_capacity(costs.len());
    for (index, cost) in costs.into_iter().enumerate() {
        let exact = whole.checked_mul(cost).ok_or(MoneyError::TooLarge)?;
        shares.push((index, exact / of, exact % of));
    }
    let left_over = whole - shares.iter().map(|(_, share, _)| share).sum::<i128>();
    shares.sort_by_key(|(_, _, remainder)| Reverse(*remainder));
    for (rank, (_, share, _)) in (0_i128..).zip(&mut shares) {
        *share += i128::from(rank < left_over);
    }
    shares.sort_by_key(|(index, _, _)| *index);
    shares.into_iter().map(|(_, share, _)| of_minor_units(share, net.currency())).collect()
}

fn of_minor_units(minor: i128, currency: Currency) -> Result<Money, MoneyError> {
    let amount = Decimal::try_from_i128_with_scale(minor, currency.minor_units());
    Money::new(amount.map_err(|_| MoneyError::TooLarge)?, currency)
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
        let items = items(&drafts, &lines, &totals).unwrap();
        let values: Vec<_> = items.iter().map(|item| item.unit_value).collect();
        assert_eq!(values, [cop("9302.08"), cop("4895.83")], "customs hear what is paid for a piece");
        // 18,604.17 do not divide by two.
        let declared = declared(&items, &lines, &totals).unwrap();
        let declared: Vec<_> = declared.iter().map(|item| (item.quantity, item.unit_value)).collect();
        assert_eq!(declared, [(1, cop("9302.09")), (1, cop("9302.08")), (1, cop("4895.83"))]);
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
        fn what_is_declared_of_the_pieces_is_what_is_paid_for_them(
            pieces in prop::collection::vec((1_u32..20, 0_i64..9_999_999, 0_i64..=100), 1..6), percent in 0_i64..=100,
        ) {
            let minor = |minor: i64| Money::new(Decimal::new(minor, 2), Currency::COP).unwrap();
            let draft = |(quantity, price, percent): &(u32, i64, i64)| {
                let discount = Some(minor(price * i64::from(*quantity) * percent / 100));
                LineDraft { discount, tax: Some(minor(*price)), ..draft(*quantity, minor(*price), 1) }
            };
            let drafts: Vec<_> = pieces.iter().map(draft).collect();
            let (_, before) = add_up(&drafts, Extras::default()).unwrap();
            let net = before.subtotal.checked_sub(before.discount).unwrap().amount();
            let discount = round_half_even(net * Decimal::new(percent, 2), Currency::COP);
            let discount = Some(Money::new(discount, Currency::COP).unwrap());
            let (lines, totals) = add_up(&drafts, Extras { discount, ..Extras::default() }).unwrap();
            let items = declared(&items(&drafts, &lines, &totals).unwrap(), &lines, &totals).unwrap();
            let values = items.iter().map(|item| item.unit_value.times(item.quantity).unwrap());
            let value = Money::total(Currency::COP, values).unwrap();
            prop_assert_eq!(value, totals.subtotal.checked_sub(totals.discount).unwrap());
            prop_assert!(items.iter().all(|item| !item.unit_value.is_negative()));
            prop_assert_eq!(
                items.iter().map(|item| item.quantity).sum::<u32>(),
                drafts.iter().map(|draft| draft.quantity).sum::<u32>()
            );
        }

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
