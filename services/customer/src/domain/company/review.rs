//! The moves of a company's life, and of its KYC: asked for by the company, decided by someone of the
//! platform to whom the company does not belong.

use quenty_contracts::customer::{
    CompanyApproved, CompanyClosed, CompanyReactivated, CompanyRejected, CompanySubmitted, CompanySuspended,
    KycRejected, KycSubmitted, KycVerified,
};
use quenty_kernel::{Timestamp, contact::Text, id::UserId};

use super::{Company, CompanyError, CompanyFact, CompanyStatus, KycStatus};

/// A person of the platform who decides over a company.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reviewer {
    pub(crate) user_id: UserId,
    /// Whether the reviewer is a member of the company.
    pub(crate) is_member: bool,
}

/// What a reviewer found out about who is behind the company.
#[derive(Debug, Clone)]
pub(crate) enum KycDecision {
    Verified,
    Rejected(Text<500>),
}

impl Company {
    /// Asks to be approved; names what is missing, if anything is.
    pub(crate) fn submit(&mut self, now: Timestamp) -> Result<CompanyFact, CompanyError> {
        let missing = self.0.missing();
        let next = if missing.is_empty() { CompanyStatus::InReview } else { CompanyStatus::DocumentsPending };
        self.check_move(next)?;
        self.record(
            CompanySubmitted { company_id: self.0.id, missing, standing: self.standing_at(next, self.0.kyc) },
            now,
        )
    }

    pub(crate) fn approve(&mut self, by: Reviewer, now: Timestamp) -> Result<CompanyFact, CompanyError> {
        self.check_four_eyes(by)?;
        // Only a review approves: a suspended company is reactivated.
        if self.0.status != CompanyStatus::InReview {
            return Err(self.illegal(CompanyStatus::Active));
        }
        self.record(
            CompanyApproved {
                company_id: self.0.id,
                standing: self.standing_at(CompanyStatus::Active, self.0.kyc),
            },
            now,
        )
    }

    pub(crate) fn reject(
        &mut self,
        by: Reviewer,
        reason: &Text<500>,
        now: Timestamp,
    ) -> Result<CompanyFact, CompanyError> {
        self.check_four_eyes(by)?;
        self.check_move(CompanyStatus::Rejected)?;
        let standing = self.standing_at(CompanyStatus::Rejected, self.0.kyc);
        self.record(CompanyRejected { company_id: self.0.id, reason: reason.to_string(), standing }, now)
    }

    pub(crate) fn suspend(
        &mut self,
        by: Reviewer,
        reason: &Text<500>,
        now: Timestamp,
    ) -> Result<CompanyFact, CompanyError> {
        self.check_four_eyes(by)?;
        self.check_move(CompanyStatus::Suspended)?;
        let standing = self.standing_at(CompanyStatus::Suspended, self.0.kyc);
        self.record(CompanySuspended { company_id: self.0.id, reason: reason.to_string(), standing }, now)
    }

    pub(crate) fn reactivate(&mut self, by: Reviewer, now: Timestamp) -> Result<CompanyFact, CompanyError> {
        self.check_four_eyes(by)?;
        if self.0.status != CompanyStatus::Suspended {
            return Err(self.illegal(CompanyStatus::Active));
        }
        self.record(
            CompanyReactivated {
                company_id: self.0.id,
                standing: self.standing_at(CompanyStatus::Active, self.0.kyc),
            },
            now,
        )
    }

    /// The end. Nobody gains by it, so that it needs no second pair of eyes.
    pub(crate) fn close(&mut self, reason: &Text<500>, now: Timestamp) -> Result<CompanyFact, CompanyError> {
        self.check_move(CompanyStatus::Closed)?;
        let standing = self.standing_at(CompanyStatus::Closed, self.0.kyc);
        self.record(CompanyClosed { company_id: self.0.id, reason: reason.to_string(), standing }, now)
    }

    pub(crate) fn submit_kyc(&mut self, now: Timestamp) -> Result<CompanyFact, CompanyError> {
        self.ensure_open()?;
        self.check_kyc_move(KycStatus::Pending)?;
        let missing = self.0.missing();
        if !missing.is_empty() {
            return Err(CompanyError::Missing { missing });
        }
        self.record(
            KycSubmitted {
                company_id: self.0.id,
                standing: self.standing_at(self.0.status, KycStatus::Pending),
            },
            now,
        )
    }

    pub(crate) fn decide_kyc(
        &mut self,
        by: Reviewer,
        decision: &KycDecision,
        now: Timestamp,
    ) -> Result<CompanyFact, CompanyError> {
        self.ensure_open()?;
        self.check_four_eyes(by)?;
        let next = match decision {
            KycDecision::Verified => KycStatus::Verified,
            KycDecision::Rejected(_) => KycStatus::Rejected,
        };
        self.check_kyc_move(next)?;
        let (company_id, standing) = (self.0.id, self.standing_at(self.0.status, next));
        match decision {
            KycDecision::Verified => self.record(KycVerified { company_id, standing }, now),
            KycDecision::Rejected(reason) => {
                self.record(KycRejected { company_id, reason: reason.to_string(), standing }, now)
            }
        }
    }

    pub(super) fn check_four_eyes(&self, by: Reviewer) -> Result<(), CompanyError> {
        if by.is_member || by.user_id == self.0.registered_by {
            Err(CompanyError::OwnCompany)
        } else {
            Ok(())
        }
    }

    fn check_move(&self, next: CompanyStatus) -> Result<(), CompanyError> {
        if self.0.status.may_become(next) { Ok(()) } else { Err(self.illegal(next)) }
    }

    fn illegal(&self, next: CompanyStatus) -> CompanyError {
        CompanyError::Illegal { from: self.0.status.as_str(), to: next.as_str() }
    }

    fn check_kyc_move(&self, next: KycStatus) -> Result<(), CompanyError> {
        if self.0.kyc.may_become(next) {
            return Ok(());
        }
        Err(CompanyError::IllegalKyc { from: self.0.kyc.as_str(), to: next.as_str() })
    }
}
