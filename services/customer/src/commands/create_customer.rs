use quenty_kernel::id::CompanyId;
use quenty_platform::Tx;

use crate::{
    Error,
    domain::customer::{Customer, CustomerError, NewCustomer},
    store,
};

pub(crate) async fn create_customer(
    tx: &mut Tx,
    company_id: CompanyId,
    new: NewCustomer,
) -> Result<Customer, Error> {
    let (customer, created) = Customer::create(company_id, new, tx.now())?;
    if !store::customers::insert(tx.conn(), &customer).await? {
        let same = match &customer.state().email {
            Some(email) => store::customers::find_by_email(tx.conn(), company_id, email).await?,
            None => None,
        };
        return Err(CustomerError::EmailTaken(same).into());
    }
    tx.record(customer.id(), Some(company_id), &created)?;
    Ok(customer)
}
