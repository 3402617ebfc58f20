use quenty_kernel::currency::Currency;

use super::*;

fn cop(amount: i64) -> Money {
    Money::new(amount.into(), Currency::COP).unwrap()
}

fn delivered() -> Timestamp {
    "2026-05-01T12:00:00Z".parse().unwrap()
}

fn days(days: i64) -> Timestamp {
    delivered() + SignedDuration::from_hours(24 * days)
}

fn review(reason: Reason, value: i64, category: Option<&str>) -> Review {
    Review {
        lines: vec![ReviewedLine {
            name: "Camisa".to_owned(),
            reason,
            category: category.map(str::to_owned),
            value: cop(value),
        }],
        delivered_at: delivered(),
        packaging_intact: true,
        accessories_complete: true,
        score: ReturnScore::default(),
    }
}

/// `+` and the rule that approves, or all the rules that speak against it.
fn told(review: &Review, now: Timestamp) -> String {
    match review.decide(&PolicyTerms::default(), now).unwrap() {
        Verdict::Approved(finding) => format!("+{}", finding.rule),
        Verdict::ByHand(findings) => {
            findings.into_iter().map(|finding| finding.rule).collect::<Vec<_>>().join(" ")
        }
    }
}

#[test]
fn each_reason_has_its_rule() {
    for (reason, value, day, expected) in [
        (Reason::Defective, 100_000, 365, "+DEFECTIVE_WITHIN_WARRANTY"),
        (Reason::Defective, 100_000, 366, "OUTSIDE_WARRANTY"),
        (Reason::WrongItem, 9_000_000, 30, "+WRONG_ITEM"),
        (Reason::DamagedInShipping, 9_000_000, 1, "+DAMAGED_IN_SHIPPING"),
        (Reason::NotAsDescribed, 9_000_000, 1, "+NOT_AS_DESCRIBED"),
        (Reason::NotAsDescribed, 9_000_000, 31, "OUTSIDE_WINDOW"),
        (Reason::ChangedMind, 2_000_000, 30, "+CHANGED_MIND_WITHIN_LIMIT"),
        (Reason::ChangedMind, 2_000_001, 30, "CHANGED_MIND_ABOVE_LIMIT"),
        (Reason::ChangedMind, 1, 31, "OUTSIDE_WINDOW"),
        (Reason::Size, 9_000_000, 30, "+SIZE_WITHIN_WINDOW"),
        (Reason::Size, 9_000_000, 31, "OUTSIDE_WINDOW"),
        (Reason::Other, 1, 1, "OTHER_REASON"),
    ] {
        assert_eq!(told(&review(reason, value, None), days(day)), expected, "{reason} on day {day}");
    }
}

#[test]
fn what_is_missing_is_looked_at_by_a_person() {
    let whole = review(Reason::Size, 1, None);
    let mut one = whole.clone();
    one.packaging_intact = false;
    assert_eq!(told(&one, days(1)), "PACKAGING_MISSING");
    let mut two = whole;
    two.accessories_complete = false;
    assert_eq!(told(&two, days(1)), "ACCESSORIES_MISSING");
}

#[test]
fn dear_electronics_and_used_hygiene_goods_are_looked_at_by_a_person() {
    let electronics = |value| review(Reason::Size, value, Some("Electrónica"));
    assert_eq!(told(&electronics(1_200_000), days(1)), "+SIZE_WITHIN_WINDOW");
    assert_eq!(told(&electronics(1_200_001), days(1)), "ELECTRONICS_ABOVE_LIMIT");
    assert_eq!(told(&review(Reason::Size, 1, Some("higiene")), days(1)), "HYGIENE_GOODS");
    assert_eq!(told(&review(Reason::WrongItem, 1, Some("higiene")), days(1)), "+WRONG_ITEM");
}

#[test]
fn a_customer_who_sends_back_much_more_than_others_is_looked_at_by_a_person() {
    let with = |delivered_orders, delivered_units, returned_units| {
        let score = ReturnScore { delivered_orders, delivered_units, returned_units };
        Review { score, ..review(Reason::Size, 1, None) }
    };
    assert_eq!(told(&with(4, 10, 5), days(1)), "+SIZE_WITHIN_WINDOW");
    assert_eq!(told(&with(4, 10, 6), days(1)), "RETURN_SCORE");
    assert_eq!(told(&with(3, 10, 10), days(1)), "+SIZE_WITHIN_WINDOW", "three orders tell nothing yet");
}

#[test]
fn all_lines_must_pass_and_their_values_add_up() {
    let mut two = review(Reason::ChangedMind, 1_500_000, None);
    two.lines.push(two.lines[0].clone());
    assert_eq!(told(&two, days(1)), "CHANGED_MIND_ABOVE_LIMIT CHANGED_MIND_ABOVE_LIMIT");
    let mut mixed = review(Reason::WrongItem, 1, None);
    mixed.lines.push(ReviewedLine { reason: Reason::Other, ..mixed.lines[0].clone() });
    assert_eq!(told(&mixed, days(1)), "OTHER_REASON");
}

#[test]
fn without_a_limit_in_the_orders_currency_a_person_decides() {
    let mut yen = review(Reason::ChangedMind, 1, None);
    yen.lines[0].value = Money::new(1.into(), "JPY".parse().unwrap()).unwrap();
    assert_eq!(told(&yen, days(1)), "NO_LIMIT_FOR_CURRENCY");
}

#[test]
fn a_policy_that_approves_nothing_says_so() {
    let mut terms = PolicyTerms::default();
    terms.auto_approval.enabled = false;
    let Verdict::ByHand(findings) = review(Reason::WrongItem, 1, None).decide(&terms, days(1)).unwrap()
    else {
        panic!("approved");
    };
    assert_eq!(findings[0].rule, "DECIDED_BY_HAND");
}
