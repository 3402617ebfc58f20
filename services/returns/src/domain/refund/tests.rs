use proptest::prelude::*;
use quenty_kernel::id::ProductId;

use super::*;

fn minor(units: i64, currency: Currency) -> Money {
    Money::new(Decimal::new(units, currency.minor_units()), currency).unwrap()
}

fn cop(amount: &str) -> Money {
    Money::parse(amount, Currency::COP).unwrap()
}

fn line(quantity: u32, total: Money) -> OrderLine {
    let zero = Money::zero(total.currency());
    OrderLine {
        product_id: ProductId::new(),
        sku: "SKU".to_owned(),
        name: "Lamp".to_owned(),
        quantity,
        unit_price: zero,
        discount: zero,
        tax: zero,
        total,
    }
}

/// Only the total and the shipping charge decide about the values of the lines.
fn totals(goods: Money, shipping: Money) -> OrderTotals {
    let zero = Money::zero(goods.currency());
    let total = goods.checked_add(shipping).unwrap();
    OrderTotals { subtotal: goods, discount: zero, shipping, tax: zero, total }
}

fn sum(amounts: impl IntoIterator<Item = Money>, currency: Currency) -> Money {
    Money::total(currency, amounts).unwrap()
}

fn terms(at_fault: bool, fee_bps: u32) -> Terms {
    Terms { at_fault, fee: Bps::new(fee_bps).unwrap() }
}

/// An order: quantity and cost of each line, then what it cost as a whole.
#[derive(Debug, Clone)]
struct Sold {
    lines: Vec<OrderLine>,
    totals: OrderTotals,
}

impl Sold {
    fn currency(&self) -> Currency {
        self.totals.total.currency()
    }

    fn values(&self) -> Vec<LineValue> {
        line_values(&self.totals, &self.lines).unwrap()
    }
}

fn sold() -> impl Strategy<Value = Sold> {
    let currency = prop::sample::select(vec!["COP", "CLP", "KWD", "CLF", "USD"]);
    let cost = prop_oneof![Just(0), 1_i64..100, 1_i64..1_000_000_000];
    let lines = prop::collection::vec((1_u32..7, cost.clone()), 1..6);
    (currency, lines, 0_i64..=100, cost.clone(), cost).prop_map(
        |(currency, lines, kept_percent, tax, shipping)| {
            let currency: Currency = currency.parse().unwrap();
            let cost: i64 = lines.iter().map(|(_, cost)| cost).sum();
            let goods = minor(cost * kept_percent / 100 + tax, currency);
            Sold {
                lines: lines
                    .into_iter()
                    .map(|(quantity, cost)| line(quantity, minor(cost, currency)))
                    .collect(),
                totals: totals(goods, minor(shipping, currency)),
            }
        },
    )
}

/// All units of an order, by their lines, in the order in which they come back, and how many come back at a time.
fn comings() -> impl Strategy<Value = (Sold, Vec<usize>, Vec<usize>)> {
    sold().prop_flat_map(|sold| {
        let units: Vec<usize> =
            (0..).zip(&sold.lines).flat_map(|(at, line)| vec![at; line.quantity as usize]).collect();
        (Just(sold), Just(units).prop_shuffle(), prop::collection::vec(1_usize..5, 1..8))
    })
}

/// Refunds the units in returns of the given sizes, taken in turns.
fn refunds(
    sold: &Sold,
    units: &[usize],
    sizes: &[usize],
    terms: Terms,
    way_back: Money,
) -> Vec<RefundAmounts> {
    let values = sold.values();
    let mut settled = vec![0_u32; values.len()];
    let mut left = sold.totals.total;
    let (mut units, mut sizes) = (units, sizes.iter().cycle());
    let mut told = Vec::new();
    while !units.is_empty() {
        let (now, later) = units.split_at(units.len().min(*sizes.next().unwrap()));
        units = later;
        let group = |at: usize| Units {
            value: values[at],
            quantity: sold.lines[at].quantity,
            before: settled[at],
            count: u32::try_from(now.iter().filter(|unit| **unit == at).count()).unwrap(),
            terms,
        };
        let groups: Vec<Units> = (0..values.len()).map(group).filter(|group| group.count > 0).collect();
        let amounts = amounts(&groups, way_back, left).unwrap();
        assert!(!amounts.refund.is_negative() && amounts.refund.amount() <= left.amount(), "{amounts:?}");
        left = left.checked_sub(amounts.refund).unwrap();
        now.iter().for_each(|at| settled[*at] += 1);
        told.push(amounts);
    }
    told
}

fn refunded(of: &[RefundAmounts], currency: Currency) -> Money {
    sum(of.iter().map(|amounts| amounts.refund), currency)
}

/// What the identity of [`RefundAmounts`] says, without the cap.
fn kept_apart(of: &RefundAmounts) -> Money {
    let due = of.goods.checked_add(of.shipping).unwrap();
    due.checked_sub(of.fee).unwrap().checked_sub(of.way_back).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_lines_sum_to_what_the_order_cost(sold in sold()) {
        let (values, currency) = (sold.values(), sold.currency());
        let goods = sold.totals.total.checked_sub(sold.totals.shipping).unwrap();
        prop_assert_eq!(sum(values.iter().map(|value| value.goods), currency), goods);
        prop_assert_eq!(sum(values.iter().map(|value| value.shipping), currency), sold.totals.shipping);
    }

    #[test]
    fn no_line_is_a_minor_unit_off_its_exact_share(sold in sold()) {
        let goods = sold.totals.total.checked_sub(sold.totals.shipping).unwrap().amount();
        let cost: Decimal = sold.lines.iter().map(|line| line.total.amount()).sum();
        prop_assume!(!cost.is_zero());
        let unit = Decimal::new(1, sold.currency().minor_units());
        for (line, value) in sold.lines.iter().zip(sold.values()) {
            for (whole, part) in [(goods, value.goods), (sold.totals.shipping.amount(), value.shipping)] {
                let exact = whole * (line.total.amount() / cost);
                prop_assert!((part.amount() - exact).abs() < unit, "{part} of {exact}");
                prop_assert!(!part.is_negative());
                prop_assert!(!line.total.is_zero() || part.is_zero(), "a free line brings {part}");
            }
        }
    }

    #[test]
    fn what_comes_back_at_fault_brings_back_all_that_the_order_cost(
        (sold, units, sizes) in comings(), way_back in 0_i64..10_000
    ) {
        let way_back = minor(way_back, sold.currency());
        let told = refunds(&sold, &units, &sizes, terms(true, 1_000), way_back);
        prop_assert_eq!(refunded(&told, sold.currency()), sold.totals.total);
        for amounts in told {
            prop_assert!(amounts.fee.is_zero() && amounts.way_back.is_zero());
            prop_assert_eq!(amounts.refund, kept_apart(&amounts));
        }
    }

    #[test]
    fn in_which_order_units_come_back_does_not_matter(
        (sold, units, sizes) in comings(), kept in 0_usize..10, other_sizes in prop::collection::vec(1_usize..5, 1..8)
    ) {
        // Some of the units come back, once in this order and once the other way round, in other portions.
        let some = &units[..units.len() - kept.min(units.len())];
        let backwards: Vec<usize> = some.iter().rev().copied().collect();
        let nothing = Money::zero(sold.currency());
        let once = refunds(&sold, some, &sizes, terms(true, 0), nothing);
        let again = refunds(&sold, &backwards, &other_sizes, terms(true, 0), nothing);
        prop_assert_eq!(refunded(&once, sold.currency()), refunded(&again, sold.currency()));
    }

    #[test]
    fn what_is_kept_is_never_more_than_is_due(
        (sold, units, sizes) in comings(), fee in 0_u32..=100_000, way_back in 0_i64..1_000_000_000
    ) {
        let way_back = minor(way_back, sold.currency());
        let told = refunds(&sold, &units, &sizes, terms(false, fee), way_back);
        prop_assert!(refunded(&told, sold.currency()).amount() <= sold.totals.total.amount());
        for amounts in told {
            prop_assert_eq!(amounts.refund, kept_apart(&amounts));
            prop_assert!(amounts.shipping.is_zero());
            prop_assert!(!amounts.fee.is_negative() && !amounts.way_back.is_negative());
            prop_assert!(amounts.way_back.amount() <= way_back.amount());
        }
    }

    #[test]
    fn no_more_is_refunded_than_is_left(
        (sold, _, _) in comings(), at_fault: bool, left in 0_i64..1_000_000
    ) {
        let left = minor(left, sold.currency());
        let all = sold.values().into_iter().zip(&sold.lines).map(|(value, line)| Units {
            value,
            quantity: line.quantity,
            before: 0,
            count: line.quantity,
            terms: terms(at_fault, 500),
        });
        let amounts = amounts(&all.collect::<Vec<_>>(), Money::zero(sold.currency()), left).unwrap();
        let due = kept_apart(&amounts);
        prop_assert_eq!(amounts.refund, if due.amount() < left.amount() { due } else { left });
    }
}

#[test]
fn what_is_left_over_goes_to_the_greatest_remainders_and_of_equal_ones_to_the_first() {
    let parts = |amount, weights: &[i128]| {
        let parts = apportion(cop(amount), weights).unwrap();
        parts.iter().map(|part| part.amount().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(parts("1.00", &[1, 1, 1]), ["0.34", "0.33", "0.33"]);
    assert_eq!(parts("0.02", &[1, 1, 1]), ["0.01", "0.01", "0.00"]);
    // Exactly 28.571…, 57.142… and 14.285… cents.
    assert_eq!(parts("1.00", &[2, 4, 1]), ["0.29", "0.57", "0.14"]);
    assert_eq!(parts("7.00", &[0, 5, 0]), ["0.00", "7.00", "0.00"]);
    assert_eq!(parts("1.00", &[]), [""; 0]);
}

#[test]
fn a_single_line_is_worth_the_whole_order() {
    let values = line_values(&totals(cop("90"), cop("9.99")), &[line(3, cop("100"))]).unwrap();
    assert_eq!(values, [LineValue { goods: cop("90"), shipping: cop("9.99") }]);
}

#[test]
fn the_shipping_of_a_free_order_goes_by_its_pieces() {
    let lines = [line(1, cop("0")), line(3, cop("0"))];
    let values = line_values(&totals(cop("0"), cop("10")), &lines).unwrap();
    let shipping: Vec<Money> = values.iter().map(|value| value.shipping).collect();
    assert_eq!(shipping, [cop("2.50"), cop("7.50")]);
    assert!(values.iter().all(|value| value.goods.is_zero()));
}

#[test]
fn units_of_a_line_differ_by_the_cent_that_does_not_divide() {
    let unit = |before| share(cop("1.00"), 3, before, 1).unwrap();
    assert_eq!([unit(0), unit(1), unit(2)], [cop("0.33"), cop("0.34"), cop("0.33")]);
    assert_eq!(share(cop("1.00"), 3, 1, 2), Ok(cop("0.67")));
    // A half goes to the even neighbour.
    assert_eq!(
        [share(cop("0.05"), 2, 0, 1), share(cop("0.05"), 2, 1, 1)],
        [Ok(cop("0.02")), Ok(cop("0.03"))]
    );
    assert_eq!(share(cop("1.00"), 3, 3, 1), Ok(cop("0")), "beyond the line");
    assert_eq!(share(cop("1.00"), 0, 0, 1), Ok(cop("0")));
    let most = cop("999999999999999.99");
    assert_eq!(share(most, u32::MAX, 0, u32::MAX), Ok(most));
}

fn units(goods: &str, shipping: &str, terms: Terms) -> Units {
    let value = LineValue { goods: cop(goods), shipping: cop(shipping) };
    Units { value, quantity: 1, before: 0, count: 1, terms }
}

fn told(of: RefundAmounts) -> [String; 5] {
    [of.goods, of.shipping, of.fee, of.way_back, of.refund]
        .map(|money| money.amount().normalize().to_string())
}

#[test]
fn fee_and_way_back_are_the_buyers_unless_somebody_else_is_at_fault() {
    let (mine, ours) = (units("100", "8", terms(false, 1_000)), units("50", "4", terms(true, 1_000)));
    let amounts = |units: &[Units]| told(amounts(units, cop("6"), cop("1000")).unwrap());
    assert_eq!(amounts(&[mine]), ["100", "0", "10", "6", "84"]);
    assert_eq!(amounts(&[ours]), ["50", "4", "0", "0", "54"]);
    // They travel together: the way back was needed anyway.
    assert_eq!(amounts(&[mine, ours]), ["150", "4", "10", "0", "144"]);
    assert_eq!(amounts(&[mine, Units { count: 0, ..ours }]), ["100", "0", "10", "6", "84"]);
    // No fee eats what is refunded for others' faults.
    let above_all = units("100", "8", terms(false, 15_000));
    assert_eq!(amounts(&[above_all, ours]), ["150", "4", "100", "0", "54"]);
    assert_eq!(amounts(&[]), ["0", "0", "0", "0", "0"]);
}

#[test]
fn of_what_is_due_the_fee_is_kept_first_and_then_the_way_back() {
    let amounts = |fee, way_back, left| {
        told(amounts(&[units("100", "0", terms(false, fee))], cop(way_back), cop(left)).unwrap())
    };
    assert_eq!(amounts(1_000, "95", "1000"), ["100", "0", "10", "90", "0"]);
    assert_eq!(amounts(20_000, "95", "1000"), ["100", "0", "100", "0", "0"]);
    assert_eq!(amounts(1_000, "20", "50"), ["100", "0", "10", "20", "50"]);
    assert_eq!(amounts(1_000, "20", "-5"), ["100", "0", "10", "20", "0"]);
}

#[test]
fn each_group_of_units_has_its_own_rounded_fee() {
    // 0.5 cents each: rounded to even, both are nothing; of the sum it would be one cent.
    let groups = [units("0.05", "0", terms(false, 1_000)); 2];
    assert_eq!(told(amounts(&groups, cop("0"), cop("9")).unwrap()), ["0.1", "0", "0", "0", "0.1"]);
}

#[test]
fn two_currencies_never_mix() {
    let dollars = Money::zero(Currency::USD);
    let group = units("100", "8", terms(true, 0));
    assert!(amounts(&[group], dollars, cop("1000")).is_err());
    assert!(amounts(&[group], cop("0"), dollars).is_err());
    assert!(line_values(&totals(cop("1"), cop("1")), &[line(1, dollars)]).is_err());
}
