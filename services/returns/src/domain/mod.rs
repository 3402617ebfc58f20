//! The rules of Returns: pure and synchronous.

pub(crate) mod approval;
pub(crate) mod class;
pub(crate) mod delivered;
pub(crate) mod disposition;
pub(crate) mod emissions;
pub(crate) mod erasure;
pub(crate) mod goods_return;
pub(crate) mod notice;
pub(crate) mod policy;
pub(crate) mod processing;
pub(crate) mod recall;
pub(crate) mod refund;
pub(crate) mod words;
