use super::*;
use proptest::prelude::*;
use quenty_kernel::{Fact, id::UserId};
use std::collections::BTreeMap;

fn now() -> Timestamp {
    "2026-01-05T12:00:00Z".parse().unwrap()
}

fn draft() -> (Manifest, ManifestFact) {
    let created = ManifestCreated {
        manifest_id: ManifestId::new(),
        company_id: CompanyId::new(),
        carrier: "QTY".to_owned(),
        origin: CountryCode::CO,
        date: jiff::civil::date(2026, 1, 6),
        reference: None,
    };
    Manifest::create(created, now())
}

#[test]
fn exactly_the_drawn_transitions_are_legal() {
    let drawn = [
        ("draft", "submitted"),
        ("draft", "cancelled"),
        ("submitted", "approved"),
        ("submitted", "rejected"),
        ("submitted", "cancelled"),
        ("rejected", "draft"),
        ("approved", "shipped"),
        ("approved", "cancelled"),
        ("shipped", "delivered"),
    ];
    for from in ManifestStatus::ALL {
        for to in ManifestStatus::ALL {
            assert_eq!(
                from.can_become(to),
                drawn.contains(&(from.as_str(), to.as_str())),
                "{from:?} → {to:?}"
            );
        }
    }
}

#[test]
fn who_submitted_does_not_approve() {
    let (mut manifest, _) = draft();
    let (ana, luis) = (Actor::User(UserId::new()), Actor::User(UserId::new()));
    assert_eq!(manifest.submit(ana.clone(), now()), Err(ManifestError::Empty));
    let _ = manifest.add_item(ShipmentId::new(), 1_200, now()).unwrap();
    let _ = manifest.submit(ana.clone(), now()).unwrap();
    assert_eq!(manifest.approve(&ana, now()), Err(ManifestError::SamePerson));
    assert!(manifest.approve(&luis, now()).is_ok());
}

#[test]
fn a_rejected_manifest_is_a_draft_again_when_it_is_changed() {
    let (mut manifest, _) = draft();
    let shipment = ShipmentId::new();
    let _ = manifest.add_item(shipment, 1_200, now()).unwrap();
    let _ = manifest.submit(Actor::System, now()).unwrap();
    assert_eq!(
        manifest.add_item(ShipmentId::new(), 1, now()),
        Err(ManifestError::Closed(ManifestStatus::Submitted))
    );
    let _ = manifest.reject("one parcel is missing".to_owned(), now()).unwrap();
    let facts = manifest.remove_item(shipment, 1_200, false, now()).unwrap();
    assert_eq!(facts.len(), 2, "reopened, then removed");
    assert_eq!(
        (manifest.state().status, manifest.state().rejected_reason.as_deref()),
        (ManifestStatus::Draft, None)
    );
}

#[test]
fn an_update_that_changes_nothing_reopens_nothing() {
    let (mut manifest, _) = draft();
    let _ = manifest.add_item(ShipmentId::new(), 1_200, now()).unwrap();
    let _ = manifest.submit(Actor::System, now()).unwrap();
    let date = manifest.state().date;
    assert_eq!(manifest.update(date, None, now()), Err(ManifestError::Closed(ManifestStatus::Submitted)));
    let _ = manifest.reject("one parcel is missing".to_owned(), now()).unwrap();
    let rejected = manifest.clone();
    assert_eq!(manifest.update(date, None, now()), Ok(Vec::new()));
    assert_eq!(manifest, rejected);
    assert_eq!(
        manifest.update(date, Some("vuelo 9".to_owned()), now()).unwrap().len(),
        2,
        "reopened, then updated"
    );
}

proptest! {
    /// Whatever is done to a manifest, its totals are those of its shipments, and it folds back from its facts.
    #[test]
    fn totals_always_equal_the_shipments(steps in prop::collection::vec((0..9_u8, 0..6_usize, 1..30_000_u64), 0..60)) {
        let (mut manifest, first) = draft();
        let mut journal = vec![first];
        let shipments: Vec<ShipmentId> = (0..6).map(|_| ShipmentId::new()).collect();
        let mut items: BTreeMap<ShipmentId, u64> = BTreeMap::new();
        for (step, which, weight) in steps {
            let shipment = shipments[which];
            let held = items.get(&shipment).copied();
            let outcome = match (step, held) {
                (0..=2, None) => manifest.add_item(shipment, weight, now()).inspect(|_| { items.insert(shipment, weight); }),
                (3, Some(weight)) => manifest.remove_item(shipment, weight, false, now()).inspect(|_| { items.remove(&shipment); }),
                (4, _) => manifest.submit(Actor::System, now()),
                (5, _) => manifest.approve(&Actor::Service("staff".to_owned()), now()).map(|fact| vec![fact]),
                (6, _) => manifest.reject("no".to_owned(), now()).map(|fact| vec![fact]),
                (7, _) => manifest.ship(now()).map(|fact| vec![fact]),
                (8, _) => manifest.cancel(now()).map(|fact| vec![fact]).inspect(|_| items.clear()),
                _ => continue,
            };
            journal.extend(outcome.unwrap_or_default());
            prop_assert_eq!(manifest.state().shipment_count as usize, items.len());
            prop_assert_eq!(manifest.state().weight_grams, items.values().sum::<u64>());
        }
        let read: Vec<_> = journal.iter().map(|fact| (ManifestFact::read(fact.kind(), fact.data().unwrap()).unwrap(), now())).collect();
        prop_assert_eq!(Manifest::fold(read), Some(manifest));
    }
}
