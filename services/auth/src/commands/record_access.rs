//! The audit trail of operations whose own facts name no address.

use quenty_kernel::id::{SessionId, UserId};
use quenty_platform::Tx;

use crate::{
    domain::{
        facts::{AccessRecorded, SessionFact},
        origin::Origin,
    },
    error::Error,
};

#[derive(Debug, Clone, Copy)]
pub enum Outcome {
    Succeeded,
    Refused,
}

/// Records who did what from where; each record is a stream of its own, so that none waits for another.
pub fn record_access(
    tx: &mut Tx,
    operation: &str,
    outcome: Outcome,
    user: Option<UserId>,
    client: Option<&str>,
    origin: &Origin,
) -> Result<(), Error> {
    let fact = AccessRecorded {
        operation: operation.to_owned(),
        outcome: match outcome {
            Outcome::Succeeded => "succeeded",
            Outcome::Refused => "refused",
        }
        .to_owned(),
        user_id: user,
        client_id: client.map(str::to_owned),
        address: origin.address.clone(),
        user_agent: origin.user_agent.clone(),
    };
    let stream = SessionId::new();
    let subject = user.map_or(stream.uuid(), UserId::uuid);
    Ok(tx.record_about(stream, subject, None, &SessionFact::from(fact))?)
}
