use proptest::prelude::*;
use quenty_kernel::{
    Timestamp,
    address::{Address, AddressParts},
    geo::GeoPoint,
    id::ReservationId,
};
use serde_json::json;

use super::*;
use crate::domain::warehouse::{Warehouse, WarehouseState};

struct Shelf {
    stock: Stock,
    products: Vec<ProductId>,
    warehouses: Vec<WarehouseId>,
}

/// As many products and warehouses; the first warehouse is the default, each stands one degree further north.
fn shelf(products: usize, warehouses: usize) -> Shelf {
    let company_id = CompanyId::new();
    let products: Vec<_> = (0..products).map(|_| ProductId::new()).collect();
    let warehouses: Vec<_> = (0..warehouses).map(|_| WarehouseId::new()).collect();
    let level = Level { company_id, reorder_point: None, is_low: false };
    let levels = products.iter().map(|id| (*id, level)).collect();
    let details = warehouses.iter().enumerate().map(|(index, id)| (*id, warehouse(index))).collect();
    Shelf { stock: Stock::new(levels, details, Vec::new(), BTreeSet::new()), products, warehouses }
}

fn warehouse(index: usize) -> WarehouseDetails {
    let location = GeoPoint::new(f64::from(u8::try_from(index).unwrap()), -74.0).unwrap();
    let address = AddressParts {
        line1: "Calle 13 # 65-10".to_owned(),
        line2: None,
        city: "Bogotá".to_owned(),
        state: None,
        postal_code: None,
        country: "CO".parse().unwrap(),
        location: Some(location),
    };
    WarehouseDetails {
        name: format!("W{index}").parse().unwrap(),
        address: Address::new(address).unwrap(),
        contact_phone: None,
        is_default: index == 0,
    }
}

impl Shelf {
    fn place(&self, product: usize, warehouse: usize, batch: Option<(&str, &str)>) -> Place {
        let batch = batch.map(|(number, date)| Batch {
            number: number.parse().unwrap(),
            expires_on: Some(date.parse().unwrap()),
        });
        Place { product_id: self.products[product], warehouse_id: self.warehouses[warehouse], batch }
    }

    fn receive(&mut self, product: usize, warehouse: usize, batch: Option<(&str, &str)>, quantity: u32) {
        let place = self.place(product, warehouse, batch);
        self.stock.put(MovementKind::Receipt, &place, quantity, &Note::default()).unwrap();
    }

    fn reserve(&mut self, lines: &[(usize, u32)], preference: Preference) -> Result<WarehouseId, StockError> {
        let lines: Vec<_> =
            lines.iter().map(|(product, quantity)| (self.products[*product], *quantity)).collect();
        let today = "2026-01-05".parse().unwrap();
        let note = Note::of(Link::Reservation(ReservationId::new()));
        self.stock.reserve(&sum_by_product(lines)?, &preference, today, &note)
    }

    fn reserved_batches(&self) -> Vec<(Option<String>, i64)> {
        let reserves = self.stock.posted().iter().filter(|movement| movement.kind == MovementKind::Reserve);
        reserves.map(|movement| (movement.batch_number(), movement.reserved_delta)).collect()
    }
}

#[test]
fn the_nearest_warehouse_that_holds_the_whole_order_serves_it() {
    let mut shelf = shelf(2, 3);
    for warehouse in 0..3 {
        shelf.receive(0, warehouse, None, 10);
    }
    shelf.receive(1, 0, None, 10);
    shelf.receive(1, 2, None, 10);
    let near = Preference { near: Some(GeoPoint::new(1.2, -74.0).unwrap()), warehouse: None };
    assert_eq!(shelf.reserve(&[(0, 1)], near).unwrap(), shelf.warehouses[1]);
    assert_eq!(shelf.reserve(&[(0, 1), (1, 1)], near).unwrap(), shelf.warehouses[2]);
}

#[test]
fn without_a_place_the_default_warehouse_comes_first_and_a_wish_before_all() {
    let mut shelf = shelf(1, 3);
    for warehouse in 0..3 {
        shelf.receive(0, warehouse, None, 2);
    }
    assert_eq!(shelf.reserve(&[(0, 2)], Preference::default()).unwrap(), shelf.warehouses[0]);
    let mut others = [shelf.warehouses[1], shelf.warehouses[2]];
    others.sort();
    let wish = Preference { warehouse: Some(others[1]), near: None };
    assert_eq!(shelf.reserve(&[(0, 1)], wish).unwrap(), others[1]);
    assert_eq!(shelf.reserve(&[(0, 1)], Preference::default()).unwrap(), others[0]);
}

#[test]
fn what_expires_first_leaves_first_and_the_expired_stays() {
    let mut shelf = shelf(1, 1);
    shelf.receive(0, 0, None, 5);
    shelf.receive(0, 0, Some(("LATE", "2026-06-01")), 5);
    shelf.receive(0, 0, Some(("SOON", "2026-02-01")), 5);
    shelf.receive(0, 0, Some(("GONE", "2026-01-05")), 5);
    shelf.reserve(&[(0, 12)], Preference::default()).unwrap();
    let picked = shelf.reserved_batches();
    assert_eq!(picked, [(Some("SOON".to_owned()), 5), (Some("LATE".to_owned()), 5), (None, 2)]);
    assert!(matches!(shelf.reserve(&[(0, 4)], Preference::default()), Err(StockError::Insufficient(_))));
}

#[test]
fn the_same_product_on_two_lines_is_one_wish() {
    let mut shelf = shelf(1, 1);
    shelf.receive(0, 0, None, 5);
    let Err(StockError::Insufficient(shortages)) = shelf.reserve(&[(0, 3), (0, 3)], Preference::default())
    else {
        panic!("six of five")
    };
    assert_eq!((shortages[0].wanted, shortages[0].available[0].available), (6, 5));
    assert!(shelf.reserve(&[(0, 3), (0, 2)], Preference::default()).is_ok());
    assert_eq!(
        shelf.reserve(&[(0, u32::MAX), (0, 1)], Preference::default()),
        Err(StockError::QuantityTooLarge)
    );
}

#[test]
fn a_refusal_leaves_everything_as_it_was() {
    let mut shelf = shelf(2, 2);
    shelf.receive(0, 0, None, 5);
    shelf.receive(1, 1, None, 5);
    let (items, posted) = (shelf.stock.items.clone(), shelf.stock.posted().len());
    let Err(StockError::Insufficient(shortages)) = shelf.reserve(&[(0, 1), (1, 1)], Preference::default())
    else {
        panic!("no split")
    };
    assert_eq!(shortages.len(), 2);
    assert_eq!((shelf.stock.items.clone(), shelf.stock.posted().len()), (items, posted));
}

#[test]
fn what_is_reserved_cannot_be_taken_by_hand() {
    let mut shelf = shelf(1, 1);
    shelf.receive(0, 0, None, 5);
    shelf.reserve(&[(0, 4)], Preference::default()).unwrap();
    let place = shelf.place(0, 0, None);
    assert!(matches!(
        shelf.stock.take(MovementKind::WriteOff, &place, 2, &Note::default()),
        Err(StockError::TooLittleThere(_))
    ));
    assert!(shelf.stock.take(MovementKind::WriteOff, &place, 1, &Note::default()).is_ok());
}

#[test]
fn who_takes_too_much_hears_what_lies_there_and_in_which_batches_the_rest_is() {
    let mut shelf = shelf(2, 2);
    shelf.receive(0, 0, Some(("A", "2026-06-01")), 100);
    shelf.receive(0, 0, None, 2);
    shelf.receive(0, 1, Some(("B", "2026-06-01")), 7);
    shelf.receive(1, 0, Some(("C", "2026-06-01")), 7);
    let taken = |place: Place, quantity: u32| {
        let taken = shelf.stock.clone().take(MovementKind::WriteOff, &place, quantity, &Note::default());
        let Err(StockError::TooLittleThere(shortage)) = taken else { panic!("there is less") };
        let there: Vec<_> = shortage.available.iter().map(|at| at.available).collect();
        (there, serde_json::to_value(shortage.batches).unwrap())
    };
    let batch = |number: &str, available: i64| json!([{"number": number, "available": available}]);
    assert_eq!(taken(shelf.place(0, 0, None), 5), (vec![2], batch("A", 100)));
    let named = shelf.place(0, 0, Some(("A", "2026-06-01")));
    assert_eq!(taken(named, 101), (vec![100], json!([{"available": 2}])));
    assert_eq!(taken(shelf.place(0, 1, None), 1), (vec![], batch("B", 7)));
}

#[test]
fn a_batch_keeps_its_expiry_date() {
    let mut shelf = shelf(1, 1);
    shelf.receive(0, 0, Some(("A", "2026-06-01")), 5);
    let other = shelf.place(0, 0, Some(("A", "2026-06-02")));
    assert_eq!(
        shelf.stock.put(MovementKind::Receipt, &other, 1, &Note::default()),
        Err(StockError::ExpiryDiffers)
    );
}

#[test]
fn what_an_earlier_order_waits_for_is_not_there_for_a_later_one() {
    let mut shelf = shelf(2, 1);
    shelf.receive(0, 0, None, 5);
    shelf.receive(1, 0, None, 5);
    shelf.stock.promised.insert(shelf.products[0]);
    let Err(StockError::Insufficient(shortages)) = shelf.reserve(&[(0, 1), (1, 1)], Preference::default())
    else {
        panic!("the first product is promised")
    };
    let of = |product: usize| shortages.iter().find(|one| one.product_id == shelf.products[product]).unwrap();
    assert!(of(0).is_everywhere() && of(0).available.is_empty());
    assert!(!of(1).is_everywhere());
    shelf.reserve(&[(1, 5)], Preference::default()).unwrap();
    let (held, wants) = ([(shelf.products[0], 2)].into(), [(shelf.products[0], 3)].into());
    shelf.stock.keep_what_is_held(&held, &wants);
    shelf.reserve(&[(0, 3)], Preference::default()).unwrap_err();
    shelf.stock.keep_what_is_held(&wants, &held);
    shelf.reserve(&[(0, 2)], Preference::default()).unwrap();
}

#[test]
fn what_comes_in_and_is_reserved_at_once_makes_nothing_available() {
    let mut shelf = shelf(1, 1);
    let id = WarehouseId::new();
    let details = WarehouseDetails { is_default: false, ..warehouse(1) };
    let warehouse = Warehouse::from_state(WarehouseState {
        id,
        company_id: CompanyId::new(),
        details,
        version: 1,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    });
    let wants = [(shelf.products[0], 3)].into();
    shelf.stock.promised.insert(shelf.products[0]);
    shelf.stock.receive_for(&wants, &warehouse, &Note::default()).unwrap();
    assert_eq!(shelf.stock.made_available().len(), 1);
    assert_eq!(shelf.reserve(&[(0, 3)], Preference::default()).unwrap(), id);
    assert!(shelf.stock.made_available().is_empty());
}

#[derive(Debug, Clone)]
enum Step {
    Receive { product: usize, warehouse: usize, dated: bool, quantity: u32 },
    Take { product: usize, warehouse: usize, quantity: u32 },
    Reserve { lines: Vec<(usize, u32)> },
    Settle { which: usize, kind: MovementKind },
}

fn step() -> impl Strategy<Value = Step> {
    let settled = prop_oneof![Just(MovementKind::Issue), Just(MovementKind::Release)];
    prop_oneof![
        (0..3_usize, 0..2_usize, any::<bool>(), 1..30_u32).prop_map(
            |(product, warehouse, dated, quantity)| Step::Receive { product, warehouse, dated, quantity }
        ),
        (0..3_usize, 0..2_usize, 1..10_u32).prop_map(|(product, warehouse, quantity)| Step::Take {
            product,
            warehouse,
            quantity
        }),
        proptest::collection::vec((0..3_usize, 1..8_u32), 1..4).prop_map(|lines| Step::Reserve { lines }),
        (any::<usize>(), settled).prop_map(|(which, kind)| Step::Settle { which, kind }),
    ]
}

/// What each reservation holds, found in the ledger.
fn open_picks(stock: &Stock, from: usize) -> Vec<Pick> {
    let pick = |movement: &Movement| Pick {
        item_id: movement.item_id,
        quantity: u32::try_from(movement.reserved_delta).unwrap(),
    };
    stock.posted()[from..].iter().map(pick).collect()
}

proptest! {
    #[test]
    fn stock_is_the_sum_of_its_ledger_and_never_below_zero(steps in proptest::collection::vec(step(), 1..60)) {
        let mut shelf = shelf(3, 2);
        let mut open: Vec<Vec<Pick>> = Vec::new();
        for step in steps {
            match step {
                Step::Receive { product, warehouse, dated, quantity } => {
                    shelf.receive(product, warehouse, dated.then_some(("B", "2027-01-01")), quantity);
                }
                Step::Take { product, warehouse, quantity } => {
                    let place = shelf.place(product, warehouse, None);
                    let _ = shelf.stock.take(MovementKind::Issue, &place, quantity, &Note::default());
                }
                Step::Reserve { lines } => {
                    let before = shelf.stock.posted().len();
                    if shelf.reserve(&lines, Preference::default()).is_ok() {
                        let picks = open_picks(&shelf.stock, before);
                        let wanted: u32 = lines.iter().map(|(_, quantity)| quantity).sum();
                        prop_assert_eq!(picks.iter().map(|pick| pick.quantity).sum::<u32>(), wanted);
                        open.push(picks);
                    } else {
                        prop_assert_eq!(shelf.stock.posted().len(), before);
                    }
                }
                Step::Settle { which, kind } if !open.is_empty() => {
                    let picks = open.swap_remove(which % open.len());
                    shelf.stock.settle(kind, &picks, &Note::default()).unwrap();
                }
                Step::Settle { .. } => {}
            }
            let reserved: i64 = open.iter().flatten().map(|pick| i64::from(pick.quantity)).sum();
            prop_assert_eq!(shelf.stock.items.iter().map(|item| item.reserved).sum::<i64>(), reserved);
            for item in &shelf.stock.items {
                let of_item = || shelf.stock.posted().iter().filter(|movement| movement.item_id == item.id);
                prop_assert_eq!(of_item().map(|movement| movement.on_hand_delta).sum::<i64>(), item.on_hand);
                prop_assert_eq!(of_item().map(|movement| movement.reserved_delta).sum::<i64>(), item.reserved);
                prop_assert!(0 <= item.reserved && item.reserved <= item.on_hand);
            }
        }
    }
}
