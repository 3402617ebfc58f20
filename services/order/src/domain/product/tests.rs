use quenty_kernel::currency::Currency;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn pesos(amount: i64) -> Money {
    Money::new(amount.into(), Currency::COP).unwrap()
}

fn details() -> ProductDetails {
    ProductDetails {
        name: "Camiseta".parse().unwrap(),
        description: None,
        category: None,
        price: pesos(50_000),
        cost: None,
        weight_grams: Grams::new(200).unwrap(),
        dimensions: None,
        hs_code: Some("6109.10".parse().unwrap()),
        country_of_origin: None,
        reorder_point: Some(5),
        reorder_quantity: None,
        lead_time_days: None,
        estimated: true,
    }
}

fn product() -> (Product, ProductFact) {
    Product::create(CompanyId::new(), "CAM-1".parse().unwrap(), details(), at(1)).unwrap()
}

#[test]
fn its_facts_rebuild_it() {
    let (mut product, created) = product();
    let changes = ProductChanges {
        price: Some(pesos(60_000)),
        cost: Some(Some(pesos(1))),
        hs_code: Some(None),
        weight_grams: Some(Grams::new(250).unwrap()),
        ..ProductChanges::default()
    };
    let updated = product.update(changes, at(2)).unwrap().unwrap();
    let archived = product.archive(at(3)).unwrap();
    let folded = Product::fold([(created, at(1)), (updated, at(2)), (archived, at(3))]).unwrap();
    assert_eq!(folded, product);
    assert_eq!((product.version(), product.state().updated_at), (3, at(3)));
}

#[test]
fn an_update_that_changes_nothing_tells_nothing() {
    let (mut product, _) = product();
    let same = ProductChanges { name: Some("Camiseta".parse().unwrap()), ..ProductChanges::default() };
    assert_eq!(product.update(same, at(2)), Ok(None));
    assert_eq!(product.version(), 1);
}

#[test]
fn stating_the_weight_ends_the_estimate() {
    let (mut product, _) = product();
    let price = ProductChanges { price: Some(pesos(1)), ..ProductChanges::default() };
    let _ = product.update(price, at(2)).unwrap().unwrap();
    assert!(product.details().estimated);
    let weight = ProductChanges { weight_grams: Some(Grams::new(201).unwrap()), ..ProductChanges::default() };
    let _ = product.update(weight, at(3)).unwrap().unwrap();
    assert!(!product.details().estimated);
}

#[test]
fn an_archived_product_stays_as_it_is() {
    let (mut product, _) = product();
    assert!(product.archive(at(2)).is_some());
    assert!(product.archive(at(3)).is_none());
    assert_eq!(product.update(ProductChanges::default(), at(4)), Err(ProductError::Archived));
}

#[test]
fn negative_amounts_are_refused() {
    let negative = ProductDetails { price: pesos(-1), ..details() };
    assert_eq!(
        Product::create(CompanyId::new(), "A".parse().unwrap(), negative, at(1)).unwrap_err(),
        ProductError::Negative("price")
    );
    let (mut product, _) = product();
    let cost = ProductChanges { cost: Some(Some(pesos(-1))), ..ProductChanges::default() };
    assert_eq!(product.update(cost, at(2)), Err(ProductError::Negative("cost")));
}

#[test]
fn without_a_reorder_point_there_is_no_alarm() {
    let (mut product, _) = product();
    let fell = StockFellLow {
        product_id: product.id(),
        company_id: product.company_id(),
        available: 5,
        reorder_point: 5,
    };
    product.apply(&fell.into(), at(2));
    assert!(product.state().low_stock && product.version() == 1);
    let never = ProductChanges { reorder_point: Some(None), ..ProductChanges::default() };
    let _ = product.update(never, at(3)).unwrap().unwrap();
    assert!(!product.state().low_stock);
}

#[test]
fn hs_codes_have_six_to_ten_digits() {
    assert_eq!("6109.10.00".parse::<HsCode>().unwrap().as_str(), "61091000");
    for text in ["", "61091", "61091000001", "6109.1a", "..."] {
        assert!(text.parse::<HsCode>().is_err(), "{text}");
    }
}

#[test]
fn an_open_box_is_the_same_goods_under_a_sku_of_its_own() {
    let (product, _) = product();
    let sibling = product.open_box_details(pesos(35_000)).unwrap();
    assert_eq!(
        (product.open_box_sku().unwrap().as_str(), sibling.name.as_str()),
        ("CAM-1-OPENBOX", "Camiseta (open box)")
    );
    let expected =
        ProductDetails { name: sibling.name.clone(), price: pesos(35_000), reorder_point: None, ..details() };
    assert_eq!(sibling, expected);
    let (opened, _) =
        Product::create(product.company_id(), product.open_box_sku().unwrap(), sibling, at(1)).unwrap();
    assert!(opened.is_open_box() && !product.is_open_box());
}

#[test]
fn what_a_piece_without_a_known_worth_costs_as_open_box_the_catalogue_says() {
    let (product, _) = product();
    for price in [pesos(0), Money::new(9.into(), Currency::USD).unwrap()] {
        assert_eq!(product.open_box_details(price).unwrap().price, pesos(50_000), "{price}");
    }
}

#[test]
fn long_skus_that_begin_alike_have_open_boxes_of_their_own() {
    let of = |sku: &str| {
        let long = ProductDetails { name: "ñ".repeat(200).parse().unwrap(), ..details() };
        Product::create(CompanyId::new(), sku.parse().unwrap(), long, at(1)).unwrap().0
    };
    assert_eq!(of(&"S".repeat(56)).open_box_sku().unwrap().as_str(), format!("{}-OPENBOX", "S".repeat(56)));
    let (one, two) = (of(&format!("{}1", "ñ".repeat(63))), of(&format!("{}2", "ñ".repeat(63))));
    let (first, second) = (one.open_box_sku().unwrap(), two.open_box_sku().unwrap());
    assert_ne!(first, second);
    assert_eq!((first.as_str().chars().count(), first.as_str().ends_with("-OPENBOX")), (64, true));
    let name = one.open_box_details(pesos(1)).unwrap().name;
    assert_eq!((name.as_str().chars().count(), name.as_str().ends_with("ñ (open box)")), (200, true));
}
