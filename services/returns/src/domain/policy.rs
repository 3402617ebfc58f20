//! What a company takes back, until when, at what price, and what is approved without a person.

use std::collections::{BTreeMap, BTreeSet};

use quenty_kernel::{Event, Invalid, currency::Currency, id::CompanyId, measure::Bps, money::Money};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{class::GoodsClass, disposition::Costs, words::Reason};

const MAX_DAYS: u16 = 3650;
const MAX_CATEGORIES: usize = 200;
const MAX_LIMITS: usize = 20;
const MAX_FEE_BPS: u32 = 10_000;

quenty_kernel::words! {
    /// Who pays for the way back when nobody but the buyer is the reason for it.
    pub(crate) enum WayBackPayer ("payer of the way back") { Merchant = "merchant", Buyer = "buyer" }
}

/// The restocking fees, in basis points of the goods' value (design: 10 %, 5 %, 10 %).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fees {
    #[schema(value_type = u32, maximum = 10_000, example = 1000)]
    pub(crate) changed_mind: Bps,
    #[schema(value_type = u32, maximum = 10_000, example = 500)]
    pub(crate) size: Bps,
    #[schema(value_type = u32, maximum = 10_000, example = 1000)]
    pub(crate) other: Bps,
}

/// What needs no person. Limits are per currency; without one in the order's currency a person decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AutoApproval {
    pub(crate) enabled: bool,
    /// Changed mind up to this value of goods.
    pub(crate) changed_mind_limits: Vec<Money>,
    /// Electronics up to this value of goods.
    pub(crate) electronics_limits: Vec<Money>,
    /// Share of the customer's delivered units that came back, above which a person decides.
    #[schema(value_type = u32, example = 5000)]
    pub(crate) return_rate_limit: Bps,
    /// From how many delivered orders on that share means anything.
    pub(crate) return_rate_orders: u32,
}

/// The terms of one version.
// Not `deny_unknown_fields`, which would be said of the answer, too, that has more fields than these. Unknown ones are
// refused all the same: by `Json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct PolicyTerms {
    /// Days from delivery.
    pub(crate) window_days: u16,
    /// Days from delivery.
    pub(crate) warranty_days: u16,
    /// Other warranties, by the products' category.
    pub(crate) warranty_days_by_category: BTreeMap<String, u16>,
    /// Which categories are electronics or hygiene goods; all others are general.
    pub(crate) classes: BTreeMap<String, GoodsClass>,
    #[schema(value_type = Vec<Reason>)]
    pub(crate) reasons: BTreeSet<Reason>,
    pub(crate) fees: Fees,
    pub(crate) auto_approval: AutoApproval,
    pub(crate) way_back_paid_by: WayBackPayer,
    /// What has not arrived so many days after the approval expires, unless a driver is promised for later.
    pub(crate) expires_after_days: u16,
    /// What the ways to use a unit cost.
    pub(crate) costs: Costs,
}

/// The equivalents of 500 and 300 US dollars that a company starts with, rounded; set by us in November 2026, and each
/// company's to change.
fn limits(of: [(&str, i64); 8]) -> Vec<Money> {
    let money = |(code, amount): (&str, i64)| -> Option<Money> {
        let currency: Currency = code.parse().ok()?;
        Money::new(amount.into(), currency).ok()
    };
    of.into_iter().filter_map(money).collect()
}

impl Default for PolicyTerms {
    fn default() -> Self {
        let classes = [
            ("electronics", GoodsClass::Electronics),
            ("electrónica", GoodsClass::Electronics),
            ("eletrônicos", GoodsClass::Electronics),
            ("eletrónicos", GoodsClass::Electronics),
            ("hygiene", GoodsClass::Hygiene),
            ("higiene", GoodsClass::Hygiene),
            ("cosmetics", GoodsClass::Hygiene),
            ("cosméticos", GoodsClass::Hygiene),
            ("underwear", GoodsClass::Hygiene),
            ("ropa interior", GoodsClass::Hygiene),
            ("roupa íntima", GoodsClass::Hygiene),
            ("roupa interior", GoodsClass::Hygiene),
        ];
        let category = |(name, class): (&str, GoodsClass)| (name.to_owned(), class);
        Self {
            window_days: 30,
            warranty_days: 365,
            warranty_days_by_category: BTreeMap::new(),
            classes: classes.into_iter().map(category).collect(),
            reasons: Reason::ALL.iter().copied().collect(),
            fees: Fees { changed_mind: percent(10), size: percent(5), other: percent(10) },
            auto_approval: AutoApproval {
                enabled: true,
                changed_mind_limits: limits([
                    ("USD", 500),
                    ("COP", 2_000_000),
                    ("MXN", 9_000),
                    ("PEN", 1_800),
                    ("CLP", 470_000),
                    ("BRL", 2_700),
                    ("EUR", 430),
                    ("GTQ", 3_800),
                ]),
                electronics_limits: limits([
                    ("USD", 300),
                    ("COP", 1_200_000),
                    ("MXN", 5_400),
                    ("PEN", 1_100),
                    ("CLP", 280_000),
                    ("BRL", 1_600),
                    ("EUR", 260),
                    ("GTQ", 2_300),
                ]),
                return_rate_limit: percent(50),
                return_rate_orders: 4,
            },
            way_back_paid_by: WayBackPayer::Merchant,
            expires_after_days: 30,
            costs: Costs::default(),
        }
    }
}

fn percent(percent: u32) -> Bps {
    Bps::new(percent * 100).unwrap_or(Bps::MAX)
}

impl PolicyTerms {
    /// Checks what a type cannot say.
    pub(crate) fn checked(self) -> Result<Self, Invalid> {
        let days = [self.window_days, self.warranty_days, self.expires_after_days];
        let all_days = days.into_iter().chain(self.warranty_days_by_category.values().copied());
        if all_days.max().is_some_and(|days| days > MAX_DAYS) || self.expires_after_days == 0 {
            return Err(Invalid::new("number of days", format!("must lie between 1 and {MAX_DAYS}")));
        }
        if self.classes.len().max(self.warranty_days_by_category.len()) > MAX_CATEGORIES {
            return Err(Invalid::new("number of categories", format!("must be at most {MAX_CATEGORIES}")));
        }
        let mut categories = self.classes.keys().chain(self.warranty_days_by_category.keys());
        if categories.any(|name| name.trim().is_empty() || name.chars().count() > 100) {
            return Err(Invalid::new("category", "must have 1 to 100 characters"));
        }
        let fees = [self.fees.changed_mind, self.fees.size, self.fees.other];
        if fees.iter().any(|fee| fee.get() > MAX_FEE_BPS) {
            return Err(Invalid::new(
                "restocking fee",
                format!("must be at most {MAX_FEE_BPS} basis points"),
            ));
        }
        let auto = &self.auto_approval;
        for limits in [&auto.changed_mind_limits, &auto.electronics_limits] {
            let currencies: BTreeSet<_> = limits.iter().map(|limit| limit.currency().code()).collect();
            if currencies.len() != limits.len() || limits.len() > MAX_LIMITS {
                return Err(Invalid::new("limits", "must name each currency once"));
            }
            if limits.iter().any(|limit| limit.is_negative()) {
                return Err(Invalid::new("limit", "must not be negative"));
            }
        }
        Ok(self)
    }

    pub(crate) fn class_of(&self, category: Option<&str>) -> GoodsClass {
        lookup(&self.classes, category).copied().unwrap_or(GoodsClass::General)
    }

    pub(crate) fn warranty_of(&self, category: Option<&str>) -> u16 {
        lookup(&self.warranty_days_by_category, category).copied().unwrap_or(self.warranty_days)
    }

    /// The restocking fee; none where we or the merchant are at fault.
    pub(crate) fn fee_of(&self, reason: Reason) -> Bps {
        match reason {
            Reason::ChangedMind => self.fees.changed_mind,
            Reason::Size => self.fees.size,
            Reason::Other => self.fees.other,
            Reason::Defective | Reason::WrongItem | Reason::DamagedInShipping | Reason::NotAsDescribed => {
                Bps::MIN
            }
        }
    }
}

/// Categories are people's words: their case does not count.
fn lookup<'a, T>(of: &'a BTreeMap<String, T>, category: Option<&str>) -> Option<&'a T> {
    let category = category?.to_lowercase();
    of.iter().find(|(name, _)| name.to_lowercase() == category).map(|(_, value)| value)
}

/// A version of a company's policy. Returns keep the version that they were opened under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReturnPolicy {
    pub(crate) company_id: CompanyId,
    /// Zero: what every company starts with.
    pub(crate) version: u32,
    pub(crate) terms: PolicyTerms,
}

/// A company has other terms from now on. The stream is the company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PolicyChanged {
    pub(crate) version: u32,
    pub(crate) terms: PolicyTerms,
}

impl Event for PolicyChanged {
    const TYPE: &'static str = "quenty.returns.policy.changed.v1";
    const PUBLISHED: bool = false;
}

quenty_kernel::facts! {
    pub(crate) enum PolicyFact { Changed(PolicyChanged) }
}

impl ReturnPolicy {
    pub(crate) fn initial(company_id: CompanyId) -> Self {
        Self { company_id, version: 0, terms: PolicyTerms::default() }
    }

    pub(crate) fn change(&mut self, terms: PolicyTerms) -> Result<PolicyFact, Invalid> {
        self.terms = terms.checked()?;
        self.version = self.version.saturating_add(1);
        Ok(PolicyChanged { version: self.version, terms: self.terms.clone() }.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_company_starts_with_is_valid_and_has_every_limit() {
        let terms = PolicyTerms::default().checked().unwrap();
        assert_eq!(terms.auto_approval.changed_mind_limits.len(), 8);
        assert_eq!(terms.auto_approval.electronics_limits.len(), 8);
        assert_eq!(terms.classes.len(), 12);
        assert_eq!(terms.fee_of(Reason::Size).get(), 500);
        assert_eq!(terms.fee_of(Reason::Defective).get(), 0);
    }

    #[test]
    fn categories_are_found_in_any_case() {
        let terms = PolicyTerms::default();
        for category in ["ELECTRÓNICA", "Eletrônicos", "eletrónicos"] {
            assert_eq!(terms.class_of(Some(category)), GoodsClass::Electronics, "{category}");
        }
        for category in ["Higiene", "Cosméticos", "Ropa interior", "Roupa íntima"] {
            assert_eq!(terms.class_of(Some(category)), GoodsClass::Hygiene, "{category}");
        }
        assert_eq!(terms.class_of(Some("books")), GoodsClass::General);
        assert_eq!(terms.class_of(None), GoodsClass::General);
    }

    #[test]
    fn two_limits_of_one_currency_are_refused() {
        let mut terms = PolicyTerms::default();
        let limit = terms.auto_approval.changed_mind_limits[0];
        terms.auto_approval.changed_mind_limits.push(limit);
        assert!(terms.checked().is_err());
    }

    #[test]
    fn no_fee_is_more_than_the_goods_are_worth() {
        let with = |bps| {
            let mut terms = PolicyTerms::default();
            terms.fees.other = Bps::new(bps).unwrap();
            terms.checked()
        };
        assert!(with(10_000).is_ok());
        assert!(with(10_001).is_err());
    }

    #[test]
    fn what_is_kept_reads_back() {
        let terms = PolicyTerms::default();
        let kept = serde_json::to_value(&terms).unwrap();
        assert_eq!(serde_json::from_value::<PolicyTerms>(kept).unwrap(), terms);
    }
}
