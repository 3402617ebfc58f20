//! The rules about companies, the people in them and their customers: pure and synchronous, told the time
//! by its callers.

pub(crate) mod company;
pub(crate) mod customer;
pub(crate) mod document_type;
pub(crate) mod identification;
pub(crate) mod invitation;
pub(crate) mod member;
pub(crate) mod privacy_request;
pub(crate) mod profile;
