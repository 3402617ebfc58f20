//! A customer's address book: a short list in which one address is the default for shipping and one for billing.

use quenty_contracts::customer::CustomerAddress;
use quenty_kernel::{address::Address, id::AddressId};

use super::CustomerError;

/// More than anyone has, and little enough to be read and written whole.
pub(crate) const MAX_ADDRESSES: usize = 20;

/// An address as a caller gives it: one that is known by its id, or a new one.
#[derive(Debug, Clone)]
pub(crate) struct AddressEntry {
    pub(crate) id: Option<AddressId>,
    pub(crate) address: Address,
    pub(crate) default_shipping: bool,
    pub(crate) default_billing: bool,
}

/// Makes the whole new list; ids that are kept must be of `old`.
pub(super) fn book(
    entries: Vec<AddressEntry>,
    old: &[CustomerAddress],
) -> Result<Vec<CustomerAddress>, CustomerError> {
    if entries.len() > MAX_ADDRESSES {
        return Err(CustomerError::TooManyAddresses);
    }
    let mut book: Vec<CustomerAddress> = Vec::with_capacity(entries.len());
    for (index, entry) in entries.into_iter().enumerate() {
        let id = match entry.id {
            Some(id) if old.iter().any(|a| a.id == id) && book.iter().all(|a| a.id != id) => id,
            Some(_) => return Err(CustomerError::UnknownAddress { index }),
            None => AddressId::new(),
        };
        let AddressEntry { address, default_shipping, default_billing, .. } = entry;
        book.push(CustomerAddress { id, address, default_shipping, default_billing });
    }
    choose_default(&mut book, "default_shipping", |a| &mut a.default_shipping)?;
    choose_default(&mut book, "default_billing", |a| &mut a.default_billing)?;
    Ok(book)
}

/// One default, and the first address if the caller named none.
fn choose_default(
    book: &mut [CustomerAddress],
    name: &'static str,
    mut flag: impl FnMut(&mut CustomerAddress) -> &mut bool,
) -> Result<(), CustomerError> {
    let chosen = book.iter_mut().map(|address| *flag(address)).filter(|is_default| *is_default).count();
    match (chosen, book.first_mut()) {
        (0, Some(first)) => *flag(first) = true,
        (2.., _) => return Err(CustomerError::TwoDefaults(name)),
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(line1: &str) -> AddressEntry {
        let address =
            serde_json::from_value(serde_json::json!({"line1": line1, "city": "Bogotá", "country": "CO"}))
                .unwrap();
        AddressEntry { id: None, address, default_shipping: false, default_billing: false }
    }

    #[test]
    fn the_first_address_is_the_default_unless_another_is_named() {
        let named = AddressEntry { default_billing: true, ..entry("b") };
        let book = book(vec![entry("a"), named], &[]).unwrap();
        assert_eq!(
            book.iter().map(|a| (a.default_shipping, a.default_billing)).collect::<Vec<_>>(),
            [(true, false), (false, true)]
        );
    }

    #[test]
    fn two_defaults_strange_ids_and_too_many_are_refused() {
        let default = || AddressEntry { default_shipping: true, ..entry("a") };
        assert_eq!(
            book(vec![default(), default()], &[]),
            Err(CustomerError::TwoDefaults("default_shipping"))
        );
        let strange = AddressEntry { id: Some(AddressId::new()), ..entry("a") };
        assert_eq!(book(vec![entry("a"), strange], &[]), Err(CustomerError::UnknownAddress { index: 1 }));
        assert_eq!(book(vec![entry("a"); MAX_ADDRESSES + 1], &[]), Err(CustomerError::TooManyAddresses));
    }

    #[test]
    fn an_address_keeps_its_id_once() {
        let old = book(vec![entry("a")], &[]).unwrap();
        let kept = AddressEntry { id: Some(old[0].id), ..entry("moved") };
        assert_eq!(book(vec![kept.clone()], &old).unwrap()[0].id, old[0].id);
        assert_eq!(book(vec![kept.clone(), kept], &old), Err(CustomerError::UnknownAddress { index: 1 }));
    }
}
