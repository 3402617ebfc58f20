//! Where a company stands: its onboarding, and beside it what is known of who is behind it (KYC).

quenty_kernel::words! {
    pub(crate) enum CompanyStatus ("company status") {
        Registered = "registered",
        /// Asked to be approved, and something is missing.
        DocumentsPending = "documents_pending",
        InReview = "in_review",
        Active = "active",
        Rejected = "rejected",
        Suspended = "suspended",
        Closed = "closed",
    }
}

impl CompanyStatus {
    const fn next(self) -> &'static [Self] {
        match self {
            Self::Registered | Self::DocumentsPending | Self::Rejected => {
                &[Self::DocumentsPending, Self::InReview, Self::Closed]
            }
            Self::InReview => &[Self::Active, Self::Rejected, Self::Closed],
            Self::Active => &[Self::Suspended, Self::Closed],
            Self::Suspended => &[Self::Active, Self::Closed],
            Self::Closed => &[],
        }
    }

    pub(crate) fn may_become(self, next: Self) -> bool {
        self.next().contains(&next)
    }

    /// Whether its review has not begun, or has to begin again.
    pub(crate) fn is_before_review(self) -> bool {
        matches!(self, Self::Registered | Self::DocumentsPending | Self::Rejected)
    }
}

quenty_kernel::words! {
    pub(crate) enum KycStatus ("KYC status") {
        NotStarted = "not_started",
        Pending = "pending",
        Verified = "verified",
        Rejected = "rejected",
    }
}

impl KycStatus {
    pub(crate) fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::NotStarted | Self::Rejected, Self::Pending)
                | (Self::Pending, Self::Verified | Self::Rejected)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table by names, so that no change of it goes unseen.
    #[test]
    fn a_company_moves_only_as_the_design_says() {
        let legal = [
            ("registered", "documents_pending"),
            ("registered", "in_review"),
            ("registered", "closed"),
            ("documents_pending", "documents_pending"),
            ("documents_pending", "in_review"),
            ("documents_pending", "closed"),
            ("in_review", "active"),
            ("in_review", "rejected"),
            ("in_review", "closed"),
            ("active", "suspended"),
            ("active", "closed"),
            ("rejected", "documents_pending"),
            ("rejected", "in_review"),
            ("rejected", "closed"),
            ("suspended", "active"),
            ("suspended", "closed"),
        ];
        for from in CompanyStatus::ALL {
            for to in CompanyStatus::ALL {
                assert_eq!(
                    from.may_become(*to),
                    legal.contains(&(from.as_str(), to.as_str())),
                    "{from} -> {to}"
                );
            }
        }
    }

    #[test]
    fn kyc_moves_only_as_the_design_says() {
        let legal = [
            ("not_started", "pending"),
            ("pending", "verified"),
            ("pending", "rejected"),
            ("rejected", "pending"),
        ];
        for from in KycStatus::ALL {
            for to in KycStatus::ALL {
                assert_eq!(
                    from.may_become(*to),
                    legal.contains(&(from.as_str(), to.as_str())),
                    "{from} -> {to}"
                );
            }
        }
    }
}
