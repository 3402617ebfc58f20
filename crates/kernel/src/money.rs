//! Exact amounts of money, always with their currency.
//!
//! Must never hold a float, convert between currencies, or round anywhere but in [`round_half_even`].

use std::fmt;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{currency::Currency, invalid::Invalid, measure::Bps};

/// Amounts stay below 10^15 in either direction: with four decimals they fit `numeric(19, 4)`.
const LIMIT: i64 = 1_000_000_000_000_000;

/// Why an amount was refused or a calculation has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("an amount is a decimal such as \"129900.00\", without exponent, spaces or thousands separators")]
    NotDecimal,
    #[error("an amount in {currency} has at most {} decimals", currency.minor_units())]
    TooPrecise { currency: Currency },
    #[error("an amount must lie between -{LIMIT} and {LIMIT}, both excluded")]
    TooLarge,
    #[error("an amount in {left} and one in {right} cannot be combined")]
    CurrencyMismatch { left: Currency, right: Currency },
    #[error("an amount must not be negative here")]
    Negative,
}

impl From<MoneyError> for Invalid {
    fn from(error: MoneyError) -> Self {
        Self::new("money", error.to_string())
    }
}

/// An exact amount in one currency, written with exactly the currency's decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "MoneyText")]
pub struct Money {
    /// A decimal as a string, with no more decimals than the currency has.
    #[serde(serialize_with = "rust_decimal::serde::str::serialize")]
    #[schema(value_type = String, pattern = r"^-?[0-9]{1,15}(\.[0-9]{1,4})?$", example = "129900.00")]
    amount: Decimal,
    currency: Currency,
}

/// [`Money`] as it stands in JSON. The amount is a string, so that no parser on the way makes it a float.
#[derive(Deserialize)]
struct MoneyText {
    amount: String,
    currency: Currency,
}

impl TryFrom<MoneyText> for Money {
    type Error = MoneyError;

    fn try_from(text: MoneyText) -> Result<Self, MoneyError> {
        Self::parse(&text.amount, text.currency)
    }
}

impl Money {
    /// Refuses an amount that the currency cannot express. Zeros at the end do not count:
    /// PostgreSQL pads a `numeric(19, 4)` with them.
    pub fn new(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        if amount.abs() >= Decimal::from(LIMIT) {
            return Err(MoneyError::TooLarge);
        }
        // This also makes -0 a plain 0.
        let mut amount = amount.normalize();
        if amount.scale() > currency.minor_units() {
            return Err(MoneyError::TooPrecise { currency });
        }
        amount.rescale(currency.minor_units());
        Ok(Self { amount, currency })
    }

    /// Reads a decimal written by people or programs. Here zeros at the end do count: "129.900" is
    /// how many write 129,900 pesos, and must not pass as 129.90.
    pub fn parse(amount: &str, currency: Currency) -> Result<Self, MoneyError> {
        let decimals = decimals_of(amount).ok_or(MoneyError::NotDecimal)?;
        if decimals > currency.minor_units() as usize {
            return Err(MoneyError::TooPrecise { currency });
        }
        let amount = Decimal::from_str_exact(amount).map_err(|_| MoneyError::TooLarge)?;
        Self::new(amount, currency)
    }

    #[must_use]
    pub fn zero(currency: Currency) -> Self {
        Self { amount: Decimal::new(0, currency.minor_units()), currency }
    }

    /// The sum of amounts that all have this currency; only the result has to be within the limit.
    pub fn total(currency: Currency, amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        let zero = Self::zero(currency);
        let mut sum = zero.amount;
        for money in amounts {
            zero.same_currency(money)?;
            sum = sum.checked_add(money.amount).ok_or(MoneyError::TooLarge)?;
        }
        Self::new(sum, currency)
    }

    #[must_use]
    pub const fn amount(self) -> Decimal {
        self.amount
    }

    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    #[must_use]
    pub fn is_zero(self) -> bool {
        self.amount.is_zero()
    }

    #[must_use]
    pub fn is_negative(self) -> bool {
        self.amount < Decimal::ZERO
    }

    /// Itself, unless it is below zero.
    pub fn non_negative(self) -> Result<Self, MoneyError> {
        if self.is_negative() { Err(MoneyError::Negative) } else { Ok(self) }
    }

    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.with(self.amount.checked_add(other.amount))
    }

    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.with(self.amount.checked_sub(other.amount))
    }

    /// The price of `quantity` pieces.
    pub fn times(self, quantity: u32) -> Result<Self, MoneyError> {
        self.with(self.amount.checked_mul(quantity.into()))
    }

    /// A share of the amount in basis points, rounded half-even to the currency's minor unit.
    pub fn percent_bps(self, rate: Bps) -> Result<Self, MoneyError> {
        let exact = self.amount.checked_mul(Decimal::new(rate.get().into(), 4));
        self.with(exact.map(|amount| round_half_even(amount, self.currency)))
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency })
    }

    fn with(self, amount: Option<Decimal>) -> Result<Self, MoneyError> {
        Self::new(amount.ok_or(MoneyError::TooLarge)?, self.currency)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

/// The one place where money is rounded: to the currency's minor unit, a half to the even neighbour,
/// so that many roundings do not drift in one direction.
#[must_use]
pub fn round_half_even(amount: Decimal, currency: Currency) -> Decimal {
    amount.round_dp_with_strategy(currency.minor_units(), RoundingStrategy::MidpointNearestEven)
}

/// How many decimals a plain decimal has; nothing for any other text. `Decimal` itself would also
/// read `+1`, `.5` and `1_000`.
fn decimals_of(text: &str) -> Option<usize> {
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    match unsigned.split_once('.') {
        Some((whole, fraction)) => (is_digits(whole) && is_digits(fraction)).then_some(fraction.len()),
        None => is_digits(unsigned).then_some(0),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SAFE_MINOR: i64 = 10_i64.pow(13);

    fn cop(amount: &str) -> Money {
        Money::parse(amount, Currency::COP).unwrap()
    }

    fn currency() -> impl Strategy<Value = Currency> {
        prop::sample::select(Currency::all().collect::<Vec<_>>())
    }

    fn money_in(currency: Currency) -> impl Strategy<Value = Money> {
        (-SAFE_MINOR..SAFE_MINOR)
            .prop_map(move |minor| Money::new(Decimal::new(minor, currency.minor_units()), currency).unwrap())
    }

    fn money() -> impl Strategy<Value = Money> {
        currency().prop_flat_map(money_in)
    }

    fn pair() -> impl Strategy<Value = (Money, Money)> {
        currency().prop_flat_map(|currency| (money_in(currency), money_in(currency)))
    }

    proptest! {
        #[test]
        fn subtracting_undoes_adding((a, b) in pair()) {
            prop_assert_eq!(a.checked_add(b).unwrap().checked_sub(b).unwrap(), a);
            prop_assert_eq!(a.checked_add(b), b.checked_add(a));
        }

        #[test]
        fn a_total_does_not_depend_on_the_order(
            (mut amounts, shuffled) in currency()
                .prop_flat_map(|currency| prop::collection::vec(money_in(currency), 1..20))
                .prop_flat_map(|amounts| (Just(amounts.clone()), Just(amounts).prop_shuffle()))
        ) {
            let currency = amounts[0].currency();
            let total = Money::total(currency, amounts.iter().copied()).unwrap();
            prop_assert_eq!(Money::total(currency, shuffled), Ok(total));
            let last = amounts.pop().unwrap();
            prop_assert_eq!(Money::total(currency, amounts).unwrap().checked_add(last), Ok(total));
        }

        #[test]
        fn json_reads_back_what_it_writes(money in money()) {
            let json = serde_json::to_string(&money).unwrap();
            prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
            prop_assert_eq!(money.amount().scale(), money.currency().minor_units());
        }

        #[test]
        fn rounding_goes_to_the_nearest_and_from_the_middle_to_the_even(
            mantissa in -1_000_000_000_i64..1_000_000_000, currency in currency()
        ) {
            let exact = Decimal::new(mantissa, 7);
            let rounded = round_half_even(exact, currency);
            let half = Decimal::new(5, currency.minor_units() + 1);
            let distance = (exact - rounded).abs();
            prop_assert!(Money::new(rounded, currency).is_ok());
            prop_assert!(distance <= half);
            if distance == half {
                let steps = rounded * Decimal::from(10_i64.pow(currency.minor_units()));
                prop_assert!((steps % Decimal::TWO).is_zero());
            }
        }

        #[test]
        fn a_share_is_within_half_a_minor_unit(money in money(), bps in 0_u32..=100_000) {
            let share = money.percent_bps(Bps::new(bps).unwrap()).unwrap();
            let exact = money.amount() * Decimal::new(bps.into(), 4);
            let half = Decimal::new(5, money.currency().minor_units() + 1);
            prop_assert!((share.amount() - exact).abs() <= half);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = Money::parse(&text, Currency::COP);
        }
    }

    #[test]
    fn amounts_are_written_with_exactly_the_decimals_of_the_currency() {
        for (code, written) in [("COP", "129900.00"), ("CLP", "129900"), ("KWD", "129900.000")] {
            let money = Money::parse("129900", code.parse().unwrap()).unwrap();
            let json = serde_json::json!({"amount": written, "currency": code});
            assert_eq!(serde_json::to_value(money).unwrap(), json);
        }
        assert_eq!(cop("-0.00").to_string(), "0.00 COP");
    }

    #[test]
    fn what_is_no_plain_decimal_is_refused() {
        for text in [
            "", "-", ".", "1.", ".5", "+1", "1e3", "1_000", "1,000", " 1", "1 ", "NaN", "inf", "--1",
            "1.2.3", "٣",
        ] {
            assert_eq!(Money::parse(text, Currency::COP), Err(MoneyError::NotDecimal), "{text:?}");
        }
    }

    #[test]
    fn too_many_decimals_are_refused_and_never_rounded() {
        let too_precise = Err(MoneyError::TooPrecise { currency: Currency::COP });
        assert_eq!(Money::parse("0.001", Currency::COP), too_precise);
        assert_eq!(Money::parse("129.900", Currency::COP), too_precise);
        assert_eq!(Money::new(Decimal::new(1, 3), Currency::COP), too_precise);
        assert_eq!(Money::new(Decimal::new(1_299_000, 4), Currency::COP), Ok(cop("129.90")));
    }

    #[test]
    fn amounts_stay_below_the_limit() {
        assert!(Money::parse("999999999999999.99", Currency::COP).is_ok());
        for text in ["1000000000000000", "-1000000000000000.00", &"9".repeat(60)] {
            assert_eq!(Money::parse(text, Currency::COP), Err(MoneyError::TooLarge), "{text}");
        }
        let max = cop("999999999999999.99");
        assert_eq!(max.checked_add(cop("0.01")), Err(MoneyError::TooLarge));
        assert_eq!(max.times(u32::MAX), Err(MoneyError::TooLarge));
        assert_eq!(max.percent_bps(Bps::MAX), Err(MoneyError::TooLarge));
        assert_eq!(max.percent_bps(Bps::new(10_000).unwrap()), Ok(max));
        assert_eq!(Money::total(Currency::COP, [max, cop("0.01"), cop("-0.01")]), Ok(max));
    }

    #[test]
    fn two_currencies_never_mix() {
        let (pesos, dollars) = (cop("1"), Money::zero(Currency::USD));
        let mismatch = Err(MoneyError::CurrencyMismatch { left: Currency::COP, right: Currency::USD });
        assert_eq!(pesos.checked_add(dollars), mismatch);
        assert_eq!(pesos.checked_sub(dollars), mismatch);
        assert_eq!(Money::total(Currency::COP, [pesos, dollars]), mismatch);
    }

    #[test]
    fn halves_go_to_the_even_neighbour() {
        let half = Bps::new(5_000).unwrap();
        for (amount, share) in [("0.01", "0.00"), ("0.03", "0.02"), ("0.05", "0.02"), ("-0.03", "-0.02")] {
            assert_eq!(cop(amount).percent_bps(half), Ok(cop(share)), "{amount}");
        }
        assert_eq!(cop("129900").percent_bps(Bps::new(1_900).unwrap()), Ok(cop("24681")));
    }

    #[test]
    fn the_sign_can_be_asked_for() {
        assert!(cop("-0.01").is_negative() && !cop("0").is_negative() && cop("0").is_zero());
        assert_eq!(cop("-0.01").non_negative(), Err(MoneyError::Negative));
        assert_eq!(cop("0").non_negative(), Ok(cop("0")));
    }

    #[test]
    fn json_that_is_not_an_amount_and_a_currency_is_refused() {
        for json in [
            r#"{"amount":129900.00,"currency":"COP"}"#,
            r#"{"amount":129900,"currency":"COP"}"#,
            r#"{"amount":"1e5","currency":"COP"}"#,
            r#"{"amount":"1.000","currency":"COP"}"#,
            r#"{"amount":"1.00","currency":"cop"}"#,
            r#"{"amount":"1.00"}"#,
        ] {
            assert!(serde_json::from_str::<Money>(json).is_err(), "{json}");
        }
    }
}
