//! A company takes goods back on other terms; returns that are open keep theirs.

use quenty_kernel::id::CompanyId;
use quenty_platform::{Tx, http::IfMatch};

use crate::{
    Error,
    domain::policy::{PolicyTerms, ReturnPolicy},
    store,
};

pub(crate) async fn change_policy(
    tx: &mut Tx,
    company: CompanyId,
    seen: IfMatch,
    terms: PolicyTerms,
) -> Result<ReturnPolicy, Error> {
    let now = tx.now();
    let policy = store::policies::find(tx.conn(), company, None).await?;
    let mut policy = policy.unwrap_or_else(|| ReturnPolicy::initial(company));
    seen.check(i64::from(policy.version))?;
    let fact = policy.change(terms)?;
    store::policies::insert(tx.conn(), &policy, now).await.map_err(changed_meanwhile)?;
    tx.record(company, Some(company), &fact)?;
    Ok(policy)
}

fn changed_meanwhile(error: quenty_platform::Error) -> Error {
    match error.violated_constraint() {
        Some("return_policies_pkey") => Error::PolicyChangedMeanwhile,
        _ => Error::Platform(error),
    }
}
