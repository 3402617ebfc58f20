//! What the warehouse finds, unit by unit; again, by somebody else, when the buyer objects.

use jiff::Timestamp;
use quenty_contracts::returns::{InspectedUnit, ReturnInspected};
use quenty_kernel::{Actor, id::InspectionId};

use super::{Outcome, Return, ReturnError, Status};

impl Return {
    /// Records what was found of some units, or of all. Whoever asked for the return does not inspect it, and a disputed
    /// inspection is done again by somebody else.
    pub(crate) fn inspect(
        &mut self,
        id: InspectionId,
        units: Vec<InspectedUnit>,
        by: &Actor,
        now: Timestamp,
    ) -> Outcome {
        self.require(Status::Inspected)?;
        if units.is_empty() {
            return Err(ReturnError::Nothing);
        }
        if *by == self.request.requested_by {
            return Err(ReturnError::SamePerson("asked for the return"));
        }
        for (index, found) in units.iter().enumerate() {
            self.check_unit(found, units.get(..index).unwrap_or_default(), by)?;
        }
        let inspected_now = |line, unit| units.iter().any(|found| (found.line, found.unit) == (line, unit));
        let complete = self
            .units
            .iter()
            // An inspection that was not disputed stands.
            .all(|of| of.inspection.is_some() || inspected_now(of.line, of.unit));
        let inspected = ReturnInspected {
            return_id: self.id,
            company_id: self.company_id(),
            order_id: self.order_id(),
            inspection_id: id,
            units,
            complete,
            inspected_by: by.clone(),
        };
        Ok(vec![self.apply(inspected, now)])
    }

    fn check_unit(
        &self,
        found: &InspectedUnit,
        before: &[InspectedUnit],
        by: &Actor,
    ) -> Result<(), ReturnError> {
        let (line, unit) = (found.line, found.unit);
        let named_before = before.iter().any(|other| (other.line, other.unit) == (line, unit));
        let received = self.units.iter().find(|of| (of.line, of.unit) == (line, unit));
        let Some(received) = received.filter(|_| !named_before) else {
            return Err(ReturnError::NoSuchUnit { line, unit });
        };
        match &received.inspection {
            Some(_) if self.status != Status::Disputed => Err(ReturnError::InspectedAlready { line, unit }),
            Some(earlier) if earlier.inspected_by == *by => {
                Err(ReturnError::SamePerson("inspected it before"))
            }
            _ => Ok(()),
        }
    }
}
