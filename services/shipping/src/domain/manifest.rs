//! A manifest: the shipments of one carrier that leave one country on one day, checked by a second person.

use jiff::{Timestamp, civil::Date};
use quenty_contracts::shipping::{
    ManifestApproved, ManifestDelivered, ManifestRejected, ManifestShipped, ManifestSubmitted,
};
use quenty_kernel::{
    Actor, Event,
    country::CountryCode,
    id::{CompanyId, ManifestId, ShipmentId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ManifestStatus {
    Draft,
    Submitted,
    Approved,
    Rejected,
    Shipped,
    Delivered,
    Cancelled,
}

impl ManifestStatus {
    pub const ALL: [Self; 7] = [
        Self::Draft,
        Self::Submitted,
        Self::Approved,
        Self::Rejected,
        Self::Shipped,
        Self::Delivered,
        Self::Cancelled,
    ];

    /// What may follow.
    #[must_use]
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Draft => &[Self::Submitted, Self::Cancelled],
            Self::Submitted => &[Self::Approved, Self::Rejected, Self::Cancelled],
            Self::Approved => &[Self::Shipped, Self::Cancelled],
            Self::Rejected => &[Self::Draft],
            Self::Shipped => &[Self::Delivered],
            Self::Delivered | Self::Cancelled => &[],
        }
    }

    #[must_use]
    pub fn can_become(self, next: Self) -> bool {
        self.next().contains(&next)
    }

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
        }
    }
}

impl std::str::FromStr for ManifestStatus {
    type Err = quenty_kernel::Invalid;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| quenty_kernel::Invalid::new("status", "must be a status of a manifest"))
    }
}

macro_rules! private_events {
    ($($kind:literal $name:ident { $($field:ident: $type:ty),* $(,)? })+) => {$(
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub struct $name { $(pub $field: $type),* }
        impl Event for $name {
            const TYPE: &'static str = $kind;
            const PUBLISHED: bool = false;
        }
    )+};
}

private_events! {
    "quenty.shipping.manifest.created.v1" ManifestCreated {
        manifest_id: ManifestId, company_id: CompanyId, carrier: String, origin: CountryCode, date: Date, reference: Option<String>,
    }
    "quenty.shipping.manifest.updated.v1" ManifestUpdated { manifest_id: ManifestId, date: Date, reference: Option<String> }
    "quenty.shipping.manifest.item_added.v1" ManifestItemAdded { manifest_id: ManifestId, shipment_id: ShipmentId, weight_grams: u64 }
    "quenty.shipping.manifest.item_removed.v1" ManifestItemRemoved { manifest_id: ManifestId, shipment_id: ShipmentId, weight_grams: u64 }
    "quenty.shipping.manifest.reopened.v1" ManifestReopened { manifest_id: ManifestId }
    "quenty.shipping.manifest.cancelled.v1" ManifestCancelled { manifest_id: ManifestId }
}

quenty_kernel::facts! {
    pub enum ManifestFact {
        Created(ManifestCreated),
        Updated(ManifestUpdated),
        ItemAdded(ManifestItemAdded),
        ItemRemoved(ManifestItemRemoved),
        Reopened(ManifestReopened),
        Cancelled(ManifestCancelled),
        Submitted(ManifestSubmitted),
        Approved(ManifestApproved),
        Rejected(ManifestRejected),
        Shipped(ManifestShipped),
        Delivered(ManifestDelivered),
    }
}

/// What a manifest holds, open for reading; only [`Manifest`] writes it.
#[derive(Debug, Clone, PartialEq)]
pub struct ManifestState {
    pub id: ManifestId,
    pub company_id: CompanyId,
    pub carrier: String,
    pub origin: CountryCode,
    pub date: Date,
    pub reference: Option<String>,
    pub status: ManifestStatus,
    pub shipment_count: u32,
    pub weight_grams: u64,
    pub submitted_by: Option<Actor>,
    pub rejected_reason: Option<String>,
    /// How many facts it has.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// One shipment of the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestLine {
    pub tracking_number: String,
    pub reference: Option<String>,
    pub destination: CountryCode,
    pub parcels: u32,
    pub weight_grams: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Manifest(ManifestState);

/// Why a manifest cannot do what it was asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    #[error("a manifest that is {} cannot become {}", from.as_str(), to.as_str())]
    IllegalTransition { from: ManifestStatus, to: ManifestStatus },
    #[error("a manifest that is {} cannot be changed", .0.as_str())]
    Closed(ManifestStatus),
    #[error("a manifest without shipments cannot be submitted: add one")]
    Empty,
    #[error("an approved manifest is cancelled only when it is empty: take its shipments out first")]
    NotEmpty,
    #[error("who submitted a manifest cannot approve it: ask a colleague")]
    SamePerson,
}

impl Manifest {
    pub fn create(created: ManifestCreated, now: Timestamp) -> (Self, ManifestFact) {
        (Self::begin(&created, now), created.into())
    }

    fn begin(created: &ManifestCreated, now: Timestamp) -> Self {
        Self(ManifestState {
            id: created.manifest_id,
            company_id: created.company_id,
            carrier: created.carrier.clone(),
            origin: created.origin,
            date: created.date,
            reference: created.reference.clone(),
            status: ManifestStatus::Draft,
            shipment_count: 0,
            weight_grams: 0,
            submitted_by: None,
            rejected_reason: None,
            version: 1,
            created_at: now,
            updated_at: now,
        })
    }

    /// The one way back from storage.
    #[must_use]
    pub const fn from_state(state: ManifestState) -> Self {
        Self(state)
    }

    #[must_use]
    pub const fn state(&self) -> &ManifestState {
        &self.0
    }

    /// Rebuilds a manifest from its journal.
    pub fn fold(facts: impl IntoIterator<Item = (ManifestFact, Timestamp)>) -> Option<Self> {
        let mut facts = facts.into_iter();
        let (ManifestFact::Created(created), at) = facts.next()? else { return None };
        let mut manifest = Self::begin(&created, at);
        for (fact, at) in facts {
            manifest.apply(&fact, at);
        }
        Some(manifest)
    }

    /// Changes date and reference; what was rejected is a draft again. Nothing to tell when nothing changes.
    pub fn update(
        &mut self,
        date: Date,
        reference: Option<String>,
        now: Timestamp,
    ) -> Result<Vec<ManifestFact>, ManifestError> {
        let is_same = date == self.0.date && reference == self.0.reference;
        if is_same && matches!(self.0.status, ManifestStatus::Draft | ManifestStatus::Rejected) {
            return Ok(Vec::new());
        }
        let reopened = self.open_for_change(now)?;
        let updated = self.happen(ManifestUpdated { manifest_id: self.0.id, date, reference }, now);
        Ok(reopened.into_iter().chain([updated]).collect())
    }

    pub fn add_item(
        &mut self,
        shipment_id: ShipmentId,
        weight_grams: u64,
        now: Timestamp,
    ) -> Result<Vec<ManifestFact>, ManifestError> {
        let reopened = self.open_for_change(now)?;
        let added = self.happen(ManifestItemAdded { manifest_id: self.0.id, shipment_id, weight_grams }, now);
        Ok(reopened.into_iter().chain([added]).collect())
    }

    /// What is not collected may leave an approved manifest, too: it would keep the others waiting.
    pub fn remove_item(
        &mut self,
        shipment_id: ShipmentId,
        weight_grams: u64,
        is_collected: bool,
        now: Timestamp,
    ) -> Result<Vec<ManifestFact>, ManifestError> {
        let is_late = self.0.status == ManifestStatus::Approved && !is_collected;
        let reopened = if is_late { None } else { self.open_for_change(now)? };
        let dropped = self.drop_item(shipment_id, weight_grams, now);
        Ok(reopened.into_iter().chain([dropped]).collect())
    }

    /// Takes out a shipment that was voided, in whatever state the manifest is: it will not travel.
    pub fn drop_item(&mut self, shipment_id: ShipmentId, weight_grams: u64, now: Timestamp) -> ManifestFact {
        self.happen(ManifestItemRemoved { manifest_id: self.0.id, shipment_id, weight_grams }, now)
    }

    pub fn submit(&mut self, by: Actor, now: Timestamp) -> Result<Vec<ManifestFact>, ManifestError> {
        if self.0.shipment_count == 0 {
            return Err(ManifestError::Empty);
        }
        let reopened = (self.0.status == ManifestStatus::Rejected).then(|| self.reopen(now));
        self.require(ManifestStatus::Submitted)?;
        let (manifest_id, company_id) = (self.0.id, self.0.company_id);
        let (shipments, weight_grams) = (self.0.shipment_count, self.0.weight_grams);
        let submitted = self.happen(
            ManifestSubmitted { manifest_id, company_id, shipments, weight_grams, submitted_by: by },
            now,
        );
        Ok(reopened.into_iter().chain([submitted]).collect())
    }

    /// Four eyes: not by who submitted it.
    pub fn approve(&mut self, by: &Actor, now: Timestamp) -> Result<ManifestFact, ManifestError> {
        self.require(ManifestStatus::Approved)?;
        if self.0.submitted_by.as_ref() == Some(by) {
            return Err(ManifestError::SamePerson);
        }
        Ok(self.happen(ManifestApproved { manifest_id: self.0.id, company_id: self.0.company_id }, now))
    }

    pub fn reject(&mut self, reason: String, now: Timestamp) -> Result<ManifestFact, ManifestError> {
        self.require(ManifestStatus::Rejected)?;
        Ok(self
            .happen(ManifestRejected { manifest_id: self.0.id, company_id: self.0.company_id, reason }, now))
    }

    pub fn ship(&mut self, now: Timestamp) -> Result<ManifestFact, ManifestError> {
        self.require(ManifestStatus::Shipped)?;
        if self.0.shipment_count == 0 {
            return Err(ManifestError::Empty);
        }
        let (date, shipments) = (self.0.date, self.0.shipment_count);
        Ok(self.happen(
            ManifestShipped { manifest_id: self.0.id, company_id: self.0.company_id, date, shipments },
            now,
        ))
    }

    /// The last of its shipments has ended.
    pub fn deliver(&mut self, now: Timestamp) -> Result<ManifestFact, ManifestError> {
        self.require(ManifestStatus::Delivered)?;
        Ok(self.happen(ManifestDelivered { manifest_id: self.0.id, company_id: self.0.company_id }, now))
    }

    pub fn cancel(&mut self, now: Timestamp) -> Result<ManifestFact, ManifestError> {
        self.require(ManifestStatus::Cancelled)?;
        if self.0.status == ManifestStatus::Approved && self.0.shipment_count > 0 {
            return Err(ManifestError::NotEmpty);
        }
        Ok(self.happen(ManifestCancelled { manifest_id: self.0.id }, now))
    }

    fn open_for_change(&mut self, now: Timestamp) -> Result<Option<ManifestFact>, ManifestError> {
        match self.0.status {
            ManifestStatus::Draft => Ok(None),
            ManifestStatus::Rejected => Ok(Some(self.reopen(now))),
            status => Err(ManifestError::Closed(status)),
        }
    }

    fn reopen(&mut self, now: Timestamp) -> ManifestFact {
        self.happen(ManifestReopened { manifest_id: self.0.id }, now)
    }

    fn require(&self, to: ManifestStatus) -> Result<(), ManifestError> {
        let from = self.0.status;
        if from.can_become(to) { Ok(()) } else { Err(ManifestError::IllegalTransition { from, to }) }
    }

    fn happen(&mut self, event: impl Into<ManifestFact>, now: Timestamp) -> ManifestFact {
        let fact = event.into();
        self.apply(&fact, now);
        fact
    }

    /// The only place where a manifest changes.
    fn apply(&mut self, fact: &ManifestFact, now: Timestamp) {
        let state = &mut self.0;
        match fact {
            // Only the first fact creates.
            ManifestFact::Created(_) => return,
            ManifestFact::Updated(updated) => {
                state.date = updated.date;
                state.reference.clone_from(&updated.reference);
            }
            ManifestFact::ItemAdded(added) => {
                state.shipment_count += 1;
                state.weight_grams += added.weight_grams;
            }
            ManifestFact::ItemRemoved(removed) => {
                state.shipment_count = state.shipment_count.saturating_sub(1);
                state.weight_grams = state.weight_grams.saturating_sub(removed.weight_grams);
            }
            ManifestFact::Reopened(_) => {
                state.status = ManifestStatus::Draft;
                state.submitted_by = None;
                state.rejected_reason = None;
            }
            ManifestFact::Cancelled(_) => {
                state.status = ManifestStatus::Cancelled;
                (state.shipment_count, state.weight_grams) = (0, 0);
            }
            ManifestFact::Submitted(submitted) => {
                state.status = ManifestStatus::Submitted;
                state.submitted_by = Some(submitted.submitted_by.clone());
            }
            ManifestFact::Approved(_) => state.status = ManifestStatus::Approved,
            ManifestFact::Rejected(rejected) => {
                state.status = ManifestStatus::Rejected;
                state.rejected_reason = Some(rejected.reason.clone());
            }
            ManifestFact::Shipped(_) => state.status = ManifestStatus::Shipped,
            ManifestFact::Delivered(_) => state.status = ManifestStatus::Delivered,
        }
        self.0.version += 1;
        self.0.updated_at = now;
    }
}

#[cfg(test)]
mod tests;
