//! Reservations on a real database, with many callers at once.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any},
    prop_oneof,
    strategy::ValueTree,
    test_runner::TestRunner,
};
use quenty_kernel::{
    Scope,
    address::{Address, AddressParts},
    currency::Currency,
    id::{CompanyId, OrderId, ProductId, ReservationId, WarehouseId},
    measure::Grams,
    money::Money,
};
use quenty_platform::{Service, Tx, tx::Cause};
use quenty_testkit::{TestApp, TestOptions};
use utoipa_axum::router::OpenApiRouter;

use super::{
    create_product, create_warehouse, issue_stock, record_movement, release_stock, reserve_stock,
    reserve_stock::{Reserved, Wish},
    return_stock,
};
use crate::{
    Error,
    domain::{
        product::{Product, ProductDetails, ProductFact},
        reservation::ReservationError,
        stock::{Batch, ManualKind, ManualMovement, Note, Place, StockError, sum_by_product},
        warehouse::WarehouseDetails,
    },
    store,
};

/// The service without what these tests do not reach: all of it would have to be compiled once more for them.
fn shelves() -> Service {
    Service {
        name: "order",
        about: "",
        port: 0,
        database: "order_db",
        migrations: &crate::MIGRATIONS,
        routes: OpenApiRouter::new,
        settings: &[],
        reactions: Vec::new(),
        tasks: Vec::new(),
        jobs: Vec::new(),
        invariants: store::invariants::INVARIANTS,
        init: None,
    }
}

pub(super) struct Shop {
    pub(super) app: TestApp,
    pub(super) company: CompanyId,
    pub(super) warehouse: WarehouseId,
    pub(super) products: Vec<ProductId>,
}

impl Shop {
    /// A company with one warehouse and so many products, each with so many pieces.
    pub(super) async fn open(products: usize, pieces: u32) -> Self {
        let options = TestOptions {
            starts_at: Some("2026-03-02T12:00:00Z".parse().unwrap()),
            ..TestOptions::default()
        };
        let app = TestApp::start_with(shelves(), options).await;
        let company = CompanyId::new();
        let mut tx = begin(&app).await;
        let warehouse = create_warehouse(&mut tx, company, warehouse_details("Centro")).await.unwrap().id();
        let mut ids = Vec::new();
        for number in 0..products {
            let sku = format!("P-{number}").parse().unwrap();
            ids.push(create_product(&mut tx, company, sku, product_details()).await.unwrap().id());
        }
        Tx::commit(tx).await.unwrap();
        let shop = Self { app, company, warehouse, products: ids };
        if pieces > 0 {
            let all: Vec<_> = shop.products.iter().map(|product| (*product, pieces)).collect();
            shop.receive(&all).await.unwrap();
        }
        shop
    }

    async fn receive(&self, quantities: &[(ProductId, u32)]) -> Result<(), Error> {
        for (product_id, quantity) in quantities {
            let place = Place { product_id: *product_id, warehouse_id: self.warehouse, batch: None };
            let (kind, quantity) = (ManualKind::Receipt, i64::from(*quantity));
            let receipt = ManualMovement { kind, place, quantity, note: Note::default() };
            let mut tx = begin(&self.app).await;
            record_movement(&mut tx, Scope::Company(self.company), &receipt).await?;
            Tx::commit(tx).await?;
        }
        Ok(())
    }

    async fn reserve(&self, lines: &[(ProductId, u32)]) -> Result<Reserved, Error> {
        let mut tx = begin(&self.app).await;
        let reserved = reserve_stock(&mut tx, &wish(self.company, lines)).await?;
        Tx::commit(tx).await?;
        Ok(reserved)
    }

    async fn settle(&self, verb: Verb, id: ReservationId) -> Result<(), Error> {
        let mut tx = begin(&self.app).await;
        match verb {
            Verb::Release => release_stock(&mut tx, id, "cancelled").await?,
            Verb::Issue => issue_stock(&mut tx, id).await?,
            Verb::Return => return_stock(&mut tx, id, "returned to sender").await?,
        }
        Ok(Tx::commit(tx).await?)
    }

    /// `(on_hand, reserved)` of each product; panics where stock and ledger part.
    async fn stock(&self) -> BTreeMap<ProductId, (i64, i64)> {
        let mut tx = begin(&self.app).await;
        let stock = store::stock::lock(tx.conn(), Scope::All, &self.products.iter().copied().collect())
            .await
            .unwrap();
        drop(tx);
        let ledger = self.ledger().await;
        let mut sums: BTreeMap<_, _> = self.products.iter().map(|product| (*product, (0, 0))).collect();
        for item in &stock.items {
            assert_eq!(
                ledger.get(&item.id),
                Some(&(item.on_hand, item.reserved)),
                "stock is the sum of its ledger"
            );
            let sum = sums.get_mut(&item.place.product_id).unwrap();
            (sum.0, sum.1) = (sum.0 + item.on_hand, sum.1 + item.reserved);
        }
        sums
    }

    async fn ledger(&self) -> BTreeMap<uuid::Uuid, (i64, i64)> {
        let (mut sums, mut page) = (BTreeMap::<_, (i64, i64)>::new(), quenty_kernel::PageQuery::first(100));
        loop {
            let rows = store::movements::list(
                self.app.app.db(),
                Scope::All,
                store::movements::MovementFilter::default(),
                &page,
            )
            .await
            .unwrap();
            for row in rows.iter().take(100) {
                let sum = sums.entry(row.movement.item_id).or_default();
                (sum.0, sum.1) = (sum.0 + row.movement.on_hand_delta, sum.1 + row.movement.reserved_delta);
            }
            if rows.len() <= 100 {
                return sums;
            }
            page.cursor = Some(quenty_kernel::Cursor::after(rows[99].movement.id));
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Release,
    Issue,
    Return,
}

pub(super) async fn begin(app: &TestApp) -> Tx {
    app.app.begin_as(Cause::system()).await.unwrap()
}

fn wish(company_id: CompanyId, lines: &[(ProductId, u32)]) -> Wish {
    let wants = sum_by_product(lines.iter().copied()).unwrap();
    let today = "2026-03-02".parse().unwrap();
    Wish { company_id, order_id: OrderId::new(), preferred: None, near: None, wants, today }
}

fn product_details() -> ProductDetails {
    ProductDetails {
        name: "Camiseta".parse().unwrap(),
        description: None,
        category: None,
        price: Money::new(50_000.into(), Currency::COP).unwrap(),
        cost: None,
        weight_grams: Grams::new(200).unwrap(),
        dimensions: None,
        hs_code: None,
        country_of_origin: None,
        reorder_point: Some(3),
        reorder_quantity: None,
        lead_time_days: None,
        estimated: false,
    }
}

fn warehouse_details(name: &str) -> WarehouseDetails {
    let address = AddressParts {
        line1: "Calle 13 # 65-10".to_owned(),
        line2: None,
        city: "Bogotá".to_owned(),
        state: None,
        postal_code: None,
        country: "CO".parse().unwrap(),
        location: None,
    };
    WarehouseDetails {
        name: name.parse().unwrap(),
        address: Address::new(address).unwrap(),
        contact_phone: None,
        is_default: false,
    }
}

fn is_sold_out(result: &Result<Reserved, Error>) -> bool {
    matches!(result, Err(Error::Stock(StockError::Insufficient(_))))
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_last_ten_pieces_sixty_four_buyers_get_ten() {
    let shop = Shop::open(1, 10).await;
    let lines = [(shop.products[0], 1)];
    let results = join_all((0..64).map(|_| shop.reserve(&lines))).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 10);
    assert_eq!(results.iter().filter(|result| is_sold_out(result)).count(), 54, "{results:?}");
    assert_eq!(shop.stock().await[&shop.products[0]], (10, 10));
    let alarms = shop.app.facts(shop.products[0]).await;
    assert_eq!(
        alarms.iter().filter(|fact| fact.kind == "quenty.order.stock.fell_low.v1").count(),
        1,
        "told once, whoever was first"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn buyers_with_opposite_lines_never_deadlock() {
    let shop = Shop::open(4, 1_000).await;
    let there: Vec<_> = shop.products.iter().map(|product| (*product, 1)).collect();
    let back: Vec<_> = there.iter().rev().copied().collect();
    for _ in 0..4 {
        let results =
            join_all((0..24).map(|buyer| shop.reserve(if buyer % 2 == 0 { &there } else { &back }))).await;
        assert!(results.iter().all(Result::is_ok), "{results:?}");
    }
    assert!(shop.stock().await.values().all(|sums| *sums == (1_000, 96)));
}

#[tokio::test]
async fn the_same_product_on_two_lines_is_one_wish() {
    let shop = Shop::open(1, 5).await;
    let product = shop.products[0];
    assert!(is_sold_out(&shop.reserve(&[(product, 3), (product, 3)]).await));
    shop.reserve(&[(product, 3), (product, 2)]).await.unwrap();
    assert_eq!(shop.stock().await[&product], (5, 5));
}

#[tokio::test]
async fn each_verb_of_a_reservation_takes_effect_once() {
    let shop = Shop::open(1, 5).await;
    let product = shop.products[0];
    let first = shop.reserve(&[(product, 2)]).await.unwrap().reservation_id;
    for _ in 0..2 {
        shop.settle(Verb::Release, first).await.unwrap();
        assert_eq!(shop.stock().await[&product], (5, 0));
    }
    assert!(matches!(
        shop.settle(Verb::Issue, first).await,
        Err(Error::Reservation(ReservationError::Illegal { .. }))
    ));
    let second = shop.reserve(&[(product, 2)]).await.unwrap().reservation_id;
    for _ in 0..2 {
        shop.settle(Verb::Issue, second).await.unwrap();
        assert_eq!(shop.stock().await[&product], (3, 0));
    }
    for _ in 0..2 {
        shop.settle(Verb::Return, second).await.unwrap();
        assert_eq!(shop.stock().await[&product], (5, 0));
    }
    shop.settle(Verb::Issue, second).await.unwrap();
    assert_eq!(shop.stock().await[&product], (5, 0));
    let kinds: Vec<_> = shop.app.facts(second).await.into_iter().map(|fact| fact.kind).collect();
    assert_eq!(
        kinds,
        ["quenty.order.stock.reserved.v1", "quenty.order.stock.issued.v1", "quenty.order.stock.returned.v1"]
    );
}

#[tokio::test]
async fn a_refusal_leaves_the_transaction_usable() {
    let shop = Shop::open(1, 1).await;
    let mut tx = begin(&shop.app).await;
    let refused = reserve_stock(&mut tx, &wish(shop.company, &[(shop.products[0], 2)])).await;
    assert!(is_sold_out(&refused));
    create_warehouse(&mut tx, shop.company, warehouse_details("Norte")).await.unwrap();
    Tx::commit(tx).await.unwrap();
    assert_eq!(shop.stock().await[&shop.products[0]], (1, 0));
}

#[tokio::test]
async fn a_company_cannot_reserve_what_another_holds() {
    let shop = Shop::open(1, 5).await;
    let mut tx = begin(&shop.app).await;
    let refused = reserve_stock(&mut tx, &wish(CompanyId::new(), &[(shop.products[0], 1)])).await;
    assert!(matches!(refused, Err(Error::Stock(StockError::UnknownProduct(_)))));
}

#[tokio::test]
async fn the_facts_of_a_product_rebuild_its_row_with_its_alarm() {
    let shop = Shop::open(3, 0).await;
    let (sold, broken, expired) = (shop.products[0], shop.products[1], shop.products[2]);
    shop.receive(&[(sold, 5)]).await.unwrap();
    shop.reserve(&[(sold, 2)]).await.unwrap();
    for product_id in [broken, expired] {
        let expires_on = Some("2026-03-03".parse().unwrap());
        let batch = Some(Batch { number: "L-1".parse().unwrap(), expires_on });
        let place = Place { product_id, warehouse_id: shop.warehouse, batch };
        let receipt = ManualMovement { kind: ManualKind::Receipt, place, quantity: 5, note: Note::default() };
        let mut tx = begin(&shop.app).await;
        record_movement(&mut tx, Scope::Company(shop.company), &receipt).await.unwrap();
        Tx::commit(tx).await.unwrap();
    }
    // It comes before the other.
    store::stock::spoil(shop.app.app.db(), broken).await.unwrap();
    let low = async |id: ProductId| {
        let row = store::products::find(shop.app.app.db(), Scope::All, id).await.unwrap();
        row.is_some_and(|product| product.state().low_stock)
    };
    for (midnight, both) in [("2026-03-02T23:59:59Z", false), ("2026-03-03T00:00:00Z", true)] {
        shop.app.advance_to(midnight.parse().unwrap());
        crate::jobs::tell_expired(shop.app.app.clone()).await.unwrap_err();
        assert_eq!((low(sold).await, low(expired).await), (true, both), "nobody moves what expires");
    }
    for id in [sold, expired] {
        let (db, stream) = (shop.app.app.db(), id.to_string());
        let facts = quenty_platform::journal::facts::<ProductFact>(db, Scope::All, &stream, None);
        let row = store::products::find(db, Scope::All, id).await.unwrap();
        assert_eq!(Product::fold(facts.await.unwrap()), row);
    }
}

#[derive(Debug, Clone)]
enum Step {
    Receive(usize, u32),
    Reserve(Vec<(usize, u32)>),
    Settle(usize, Verb),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let verb = prop_oneof![Just(Verb::Release), Just(Verb::Issue), Just(Verb::Return)];
    let step = prop_oneof![
        (0..3_usize, 1..12_u32).prop_map(|(product, quantity)| Step::Receive(product, quantity)),
        vec((0..3_usize, 1..5_u32), 1..4).prop_map(Step::Reserve),
        (any::<usize>(), verb).prop_map(|(which, verb)| Step::Settle(which, verb)),
    ];
    vec(step, 40)
}

/// What the database must say, kept by hand.
#[derive(Default)]
struct Model {
    stock: BTreeMap<ProductId, (i64, i64)>,
    reservations: Vec<(ReservationId, BTreeMap<ProductId, i64>, &'static str)>,
}

impl Model {
    fn settle(&mut self, which: usize, verb: Verb) -> bool {
        let (_, pieces, status) = &mut self.reservations[which];
        let (next, on_hand, reserved) = match (*status, verb) {
            ("active", Verb::Release) => ("released", 0, -1),
            ("active", Verb::Issue) => ("issued", -1, -1),
            ("issued", Verb::Return) => ("returned", 1, 0),
            ("released", Verb::Release)
            | ("issued" | "returned", Verb::Issue)
            | ("returned", Verb::Return) => return true,
            _ => return false,
        };
        *status = next;
        for (product, quantity) in pieces {
            let sum = self.stock.entry(*product).or_default();
            (sum.0, sum.1) = (sum.0 + on_hand * *quantity, sum.1 + reserved * *quantity);
        }
        true
    }
}

#[tokio::test]
async fn whatever_happens_the_database_agrees_with_the_model() {
    let shop = Shop::open(3, 0).await;
    let mut model =
        Model { stock: shop.products.iter().map(|product| (*product, (0, 0))).collect(), ..Model::default() };
    let mut runner = TestRunner::deterministic();
    for step in (0..4).flat_map(|_| steps().new_tree(&mut runner).unwrap().current()) {
        match step {
            Step::Receive(product, quantity) => {
                shop.receive(&[(shop.products[product], quantity)]).await.unwrap();
                model.stock.get_mut(&shop.products[product]).unwrap().0 += i64::from(quantity);
            }
            Step::Reserve(lines) => {
                let lines: Vec<_> =
                    lines.into_iter().map(|(product, quantity)| (shop.products[product], quantity)).collect();
                let mut wants = BTreeMap::<ProductId, i64>::new();
                for (product, quantity) in &lines {
                    *wants.entry(*product).or_default() += i64::from(*quantity);
                }
                let enough = wants
                    .iter()
                    .all(|(product, wanted)| model.stock[product].0 - model.stock[product].1 >= *wanted);
                let result = shop.reserve(&lines).await;
                assert_eq!(result.is_ok(), enough, "{result:?}");
                if let Ok(reserved) = result {
                    for (product, quantity) in &wants {
                        model.stock.get_mut(product).unwrap().1 += quantity;
                    }
                    model.reservations.push((reserved.reservation_id, wants, "active"));
                }
            }
            Step::Settle(which, verb) if !model.reservations.is_empty() => {
                let which = which % model.reservations.len();
                let result = shop.settle(verb, model.reservations[which].0).await;
                assert_eq!(result.is_ok(), model.settle(which, verb), "{verb:?}: {result:?}");
            }
            Step::Settle(..) => {}
        }
        assert_eq!(shop.stock().await, model.stock);
    }
    shop.app.assert_sound().await;
}
