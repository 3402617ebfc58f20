use quenty_kernel::{country::CountryCode, id::UserId};
use quenty_platform::Tx;

use crate::{
    Error,
    domain::{
        company::{Company, CompanyError, CompanyKind, Details},
        identification::Identification,
        member::Member,
    },
    store,
};

/// What a person says of a new company. The document, type and number, is still unchecked.
pub(crate) struct Registration {
    pub(crate) kind: CompanyKind,
    pub(crate) country: CountryCode,
    pub(crate) document: Option<(String, String)>,
    /// Without identification.
    pub(crate) details: Details,
}

/// The person who registers a company owns it. Its document may be another's, too: a review tells whose it is.
pub(crate) async fn register_company(
    tx: &mut Tx,
    user_id: UserId,
    registration: Registration,
) -> Result<Company, Error> {
    let Registration { kind, country, document, details } = registration;
    kind.check_country(country)?;
    let identification = document
        .map(|(code, number)| Identification::new(country, &code, &number, kind.identified()))
        .transpose()
        .map_err(CompanyError::from)?;
    let now = tx.now();
    let (company, registered) =
        Company::register(kind, country, Details { identification, ..details }, user_id, now);
    store::companies::insert(tx.conn(), &company).await?;
    tx.record(company.id(), Some(company.id()), &registered)?;
    let (owner, added) = Member::found(company.id(), user_id, now);
    store::members::insert(tx.conn(), &owner).await?;
    tx.record(owner.id(), Some(company.id()), &added)?;
    Ok(company)
}
