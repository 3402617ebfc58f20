use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn new_customer() -> NewCustomer {
    NewCustomer {
        kind: CustomerKind::Individual,
        name: "Ana Gómez".parse().unwrap(),
        email: Some("ana@example.com".parse().unwrap()),
        phone: None,
        document: None,
        addresses: Vec::new(),
        language: None,
        external_key: None,
    }
}

fn address(line1: &str) -> AddressEntry {
    let address =
        serde_json::from_value(serde_json::json!({"line1": line1, "city": "Bogotá", "country": "CO"}))
            .unwrap();
    AddressEntry { id: None, address, default_shipping: false, default_billing: false }
}

#[test]
fn a_document_must_fit_the_kind_of_customer() {
    let nit =
        DocumentEntry { country: CountryCode::CO, code: "CC".to_owned(), number: "1020304050".to_owned() };
    let business = NewCustomer { kind: CustomerKind::Business, document: Some(nit), ..new_customer() };
    let refused = Customer::create(CompanyId::new(), business, NOW).unwrap_err();
    assert!(matches!(refused, CustomerError::Identification(IdentificationError::WrongHolder { .. })));
}

#[test]
fn an_imported_customer_can_be_found_again() {
    let nobody = NewCustomer { email: None, ..new_customer() };
    assert_eq!(
        Customer::import(CompanyId::new(), nobody.clone(), NOW).unwrap_err(),
        CustomerError::NotIdentifiable
    );
    let keyed = NewCustomer { external_key: Some("shopify-17".parse().unwrap()), ..nobody };
    assert!(Customer::import(CompanyId::new(), keyed, NOW).is_ok());
}

#[test]
fn an_update_that_changes_nothing_tells_nothing() {
    let (mut customer, _) = Customer::create(CompanyId::new(), new_customer(), NOW).unwrap();
    let before = customer.clone();
    let same = CustomerChanges {
        name: Some("Ana Gómez".parse().unwrap()),
        blocked: Some(false),
        ..CustomerChanges::default()
    };
    assert_eq!(customer.update(same, Timestamp::MAX), Ok(None));
    assert_eq!(customer, before);
}

fn changes() -> impl Strategy<Value = CustomerChanges> {
    let email = prop::option::of(prop::option::of("[a-c]@example\\.com".prop_map(|e| e.parse().unwrap())));
    let addresses =
        prop::option::of(prop::collection::vec("[a-c]{1,3}".prop_map(|line| address(&line)), 0..3));
    let document = prop::option::of(prop::option::of(Just(DocumentEntry {
        country: CountryCode::CO,
        code: "CC".to_owned(),
        number: "1020304050".to_owned(),
    })));
    (prop::option::of("[a-c]"), email, addresses, document, any::<Option<bool>>()).prop_map(
        |(name, email, addresses, document, blocked)| CustomerChanges {
            name: name.map(|name| name.parse().unwrap()),
            email,
            addresses,
            document,
            blocked,
            ..CustomerChanges::default()
        },
    )
}

proptest! {
    #[test]
    fn folding_the_facts_gives_the_customer(steps in prop::collection::vec(changes(), 0..8)) {
        let (mut customer, first) = Customer::create(CompanyId::new(), new_customer(), NOW).unwrap();
        let mut journal = vec![(first, NOW)];
        for (second, changes) in (1..).zip(steps) {
            let now = Timestamp::from_second(second).unwrap();
            journal.extend(customer.update(changes, now).unwrap().map(|fact| (fact, now)));
        }
        prop_assert_eq!(customer.version(), i64::try_from(journal.len()).unwrap());
        prop_assert_eq!(Customer::fold(journal).unwrap(), Some(customer));
    }
}
