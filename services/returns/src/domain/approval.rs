//! Whether a return needs a person. Every decision names its rule (design/services/returns.md, "Rules").

use jiff::{SignedDuration, Timestamp};
use quenty_kernel::{
    measure::Bps,
    money::{Money, MoneyError},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{class::GoodsClass, policy::PolicyTerms, words::Reason};

/// A rule that spoke, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Finding {
    #[schema(example = "CHANGED_MIND_ABOVE_LIMIT")]
    pub(crate) rule: String,
    #[schema(example = "goods for 2500000 COP, the limit is 2000000 COP")]
    pub(crate) detail: String,
}

impl Finding {
    fn new(rule: &str, detail: impl Into<String>) -> Self {
        Self { rule: rule.to_owned(), detail: detail.into() }
    }
}

/// One line as the rules see it.
#[derive(Debug, Clone)]
pub(crate) struct ReviewedLine {
    pub(crate) name: String,
    pub(crate) reason: Reason,
    pub(crate) category: Option<String>,
    /// Of the units that come back.
    pub(crate) value: Money,
}

/// How much a customer sends back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ReturnScore {
    pub(crate) delivered_orders: u32,
    pub(crate) delivered_units: u32,
    /// Units that came back or are coming, without this return.
    pub(crate) returned_units: u32,
}

impl ReturnScore {
    /// The share of delivered units that came back.
    pub(crate) fn rate(self) -> Bps {
        let rate = u64::from(self.returned_units) * 10_000 / u64::from(self.delivered_units.max(1));
        u32::try_from(rate).ok().and_then(|rate| Bps::new(rate).ok()).unwrap_or(Bps::MAX)
    }
}

/// All that the rules look at.
#[derive(Debug, Clone)]
pub(crate) struct Review {
    pub(crate) lines: Vec<ReviewedLine>,
    pub(crate) delivered_at: Timestamp,
    pub(crate) packaging_intact: bool,
    pub(crate) accessories_complete: bool,
    pub(crate) score: ReturnScore,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Approved(Finding),
    /// A person decides; what stands against approving it at once.
    ByHand(Vec<Finding>),
}

impl Review {
    /// Applies the policy: approved only if every line is, and nothing speaks against it.
    pub(crate) fn decide(&self, terms: &PolicyTerms, now: Timestamp) -> Result<Verdict, MoneyError> {
        let (mut passed, mut against) = (Vec::new(), Vec::new());
        if !terms.auto_approval.enabled {
            against.push(Finding::new("DECIDED_BY_HAND", "the policy approves nothing by itself"));
        }
        for line in &self.lines {
            match self.line(line, terms, now)? {
                Ok(finding) => passed.push(finding),
                Err(finding) => against.push(finding),
            }
        }
        against.extend(self.goods(terms)?);
        against.extend(self.customer(terms));
        Ok(match passed.into_iter().next() {
            Some(finding) if against.is_empty() => Verdict::Approved(finding),
            _ => Verdict::ByHand(against),
        })
    }

    fn line(
        &self,
        line: &ReviewedLine,
        terms: &PolicyTerms,
        now: Timestamp,
    ) -> Result<Result<Finding, Finding>, MoneyError> {
        let name = &line.name;
        if line.reason == Reason::Defective {
            let days = terms.warranty_of(line.category.as_deref());
            return Ok(if self.within(days, now) {
                Ok(Finding::new(
                    "DEFECTIVE_WITHIN_WARRANTY",
                    format!("{name}: within {days} days of delivery"),
                ))
            } else {
                Err(Finding::new("OUTSIDE_WARRANTY", format!("{name}: the warranty is {days} days")))
            });
        }
        let window = terms.window_days;
        if !self.within(window, now) {
            return Ok(Err(Finding::new("OUTSIDE_WINDOW", format!("{name}: the window is {window} days"))));
        }
        Ok(match line.reason {
            Reason::WrongItem => Ok(Finding::new("WRONG_ITEM", format!("{name} is not what was ordered"))),
            Reason::DamagedInShipping => {
                Ok(Finding::new("DAMAGED_IN_SHIPPING", format!("{name} was damaged on its way")))
            }
            Reason::NotAsDescribed => {
                Ok(Finding::new("NOT_AS_DESCRIBED", format!("{name} is not as it was described")))
            }
            Reason::Size => Ok(Finding::new("SIZE_WITHIN_WINDOW", format!("{name}: within {window} days"))),
            Reason::ChangedMind => return self.changed_mind(terms),
            Reason::Other | Reason::Defective => {
                Err(Finding::new("OTHER_REASON", format!("{name}: a reason that no rule knows")))
            }
        })
    }

    fn within(&self, days: u16, now: Timestamp) -> bool {
        now.duration_since(self.delivered_at) <= SignedDuration::from_hours(24 * i64::from(days))
    }

    fn changed_mind(&self, terms: &PolicyTerms) -> Result<Result<Finding, Finding>, MoneyError> {
        let value = self.value_of(|line| line.reason == Reason::ChangedMind)?;
        Ok(match limit(&terms.auto_approval.changed_mind_limits, value) {
            Limit::Within(limit) => Ok(Finding::new(
                "CHANGED_MIND_WITHIN_LIMIT",
                format!("goods for {value}, the limit is {limit}"),
            )),
            Limit::Above(limit) => Err(Finding::new(
                "CHANGED_MIND_ABOVE_LIMIT",
                format!("goods for {value}, the limit is {limit}"),
            )),
            Limit::Unknown => Err(no_limit(value)),
        })
    }

    fn goods(&self, terms: &PolicyTerms) -> Result<Vec<Finding>, MoneyError> {
        let mut against = Vec::new();
        if !self.packaging_intact {
            against.push(Finding::new("PACKAGING_MISSING", "the packaging is missing or damaged"));
        }
        if !self.accessories_complete {
            against.push(Finding::new("ACCESSORIES_MISSING", "accessories are missing"));
        }
        let is = |line: &ReviewedLine, class| terms.class_of(line.category.as_deref()) == class;
        if self.lines.iter().any(|line| is(line, GoodsClass::Electronics)) {
            let value = self.value_of(|line| is(line, GoodsClass::Electronics))?;
            match limit(&terms.auto_approval.electronics_limits, value) {
                Limit::Within(_) => {}
                Limit::Above(limit) => against.push(Finding::new(
                    "ELECTRONICS_ABOVE_LIMIT",
                    format!("electronics for {value}, the limit is {limit}"),
                )),
                Limit::Unknown => against.push(no_limit(value)),
            }
        }
        if let Some(line) =
            self.lines.iter().find(|line| is(line, GoodsClass::Hygiene) && !line.reason.is_at_fault())
        {
            let detail = format!("{} is a hygiene good, and nothing is wrong with it", line.name);
            against.push(Finding::new("HYGIENE_GOODS", detail));
        }
        Ok(against)
    }

    /// A customer who sends back much more than others.
    fn customer(&self, terms: &PolicyTerms) -> Option<Finding> {
        let (auto, score) = (&terms.auto_approval, self.score);
        let stands_out =
            score.delivered_orders >= auto.return_rate_orders && score.rate() > auto.return_rate_limit;
        let ReturnScore { delivered_orders, delivered_units, returned_units } = score;
        stands_out.then(|| {
            Finding::new(
                "RETURN_SCORE",
                format!(
                    "{returned_units} of the customer's {delivered_units} units in {delivered_orders} orders came back"
                ),
            )
        })
    }

    fn value_of(&self, which: impl Fn(&ReviewedLine) -> bool) -> Result<Money, MoneyError> {
        let mut values = self.lines.iter().filter(|line| which(line)).map(|line| line.value);
        let Some(first) = values.next() else {
            return Ok(Money::zero(quenty_kernel::currency::Currency::USD));
        };
        values.try_fold(first, Money::checked_add)
    }
}

enum Limit {
    Within(Money),
    Above(Money),
    Unknown,
}

fn limit(limits: &[Money], value: Money) -> Limit {
    match limits.iter().find(|limit| limit.currency() == value.currency()) {
        Some(limit) if value.amount() <= limit.amount() => Limit::Within(*limit),
        Some(limit) => Limit::Above(*limit),
        None => Limit::Unknown,
    }
}

fn no_limit(value: Money) -> Finding {
    let detail = format!("the policy names no limit in {}", value.currency());
    Finding::new("NO_LIMIT_FOR_CURRENCY", detail)
}

#[cfg(test)]
mod tests;
