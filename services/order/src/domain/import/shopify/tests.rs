use super::*;

const HEADER: &str = "Name,Email,Financial Status,Fulfillment Status,Currency,Subtotal,Shipping,Taxes,Total,Discount Amount,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Shipping Name,Shipping Address1,Shipping City,Shipping Zip,Shipping Province,Shipping Country,Shipping Phone,Cancelled at,Payment Method";

fn orders(rows: &[&str]) -> Vec<Result<ImportedOrder, RowError>> {
    let mut grouper = Grouper::new(Columns::read(HEADER.split(',')).unwrap());
    let mut found = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        found.extend(
            grouper.push(Row { line: index as u64 + 2, cells: row.split(',').map(str::to_owned).collect() }),
        );
    }
    found.extend(grouper.finish());
    found
}

const TWO_LINES: [&str; 2] = [
    "#1001,ana@example.com,paid,,BRL,147.90,27.36,0.00,175.26,,1,Cafeteira,100.0,CAF-1,Ana Souza,Rua A 1,Santos,11010-000,SP,BR,,,boleto",
    "#1001,ana@example.com,,,,,,,,,2,Filtro,23.95,FIL-2,,,,,,,,,",
];

#[test]
fn rows_of_one_order_come_together_and_keep_the_files_prices() {
    let found = orders(&TWO_LINES);
    let order = found[0].as_ref().unwrap();
    assert_eq!((found.len(), order.lines.len(), order.line), (1, 2, 2));
    assert_eq!(
        (order.total.amount().to_string(), order.lines[1].unit_price.amount().to_string()),
        ("175.26".to_owned(), "23.95".to_owned())
    );
    assert_eq!(order.paid, Some(Some("boleto".to_owned())));
    assert_eq!(order.consignee.address.postal_code(), Some("11010-000"));
}

#[test]
fn sums_that_do_not_follow_from_the_lines_are_refused_with_line_and_column() {
    let row = TWO_LINES[0].replace("175.26", "175.27");
    let error = orders(&[&row, TWO_LINES[1]]).remove(0).unwrap_err();
    assert_eq!((error.line, error.field.as_str(), error.code), (2, "Total", "DOES_NOT_ADD_UP"));
}

#[test]
fn taxes_inside_the_prices_are_an_assumption() {
    let row = TWO_LINES[0].replace("27.36,0.00,175.26", "27.36,12.00,175.26");
    let order = orders(&[&row, TWO_LINES[1]]).remove(0).unwrap();
    assert_eq!(order.tax, None);
    assert!(order.assumptions.counts().any(|(name, count)| name == "taxes_included" && count == 1));
}

#[test]
fn a_bad_row_does_not_stop_the_next_order() {
    let bad = TWO_LINES[0].replace("#1001", "#1000").replace(",1,Cafeteira", ",-1,Cafeteira");
    let found = orders(&[&bad, TWO_LINES[0], TWO_LINES[1]]);
    assert_eq!(found.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn what_the_shop_cancelled_refunded_or_sent_is_not_sent_again() {
    for (from, to, code) in [
        ("paid", "refunded", "NOT_PAYABLE"),
        ("paid", "partially_paid", "PARTLY_PAID"),
        ("paid,", "paid,fulfilled", "ALREADY_FULFILLED"),
        ("paid,", "paid,partial", "PARTLY_FULFILLED"),
        (",boleto", "2026-01-01,boleto", "CANCELLED_IN_SHOP"),
    ] {
        let row = TWO_LINES[0].replacen(from, to, 1);
        assert_eq!(orders(&[&row, TWO_LINES[1]]).remove(0).unwrap_err().code, code);
    }
}

#[test]
fn only_what_is_paid_at_the_door_is_collected_there() {
    for (named, method) in [
        ("COD", PaymentMethod::CashOnDelivery),
        ("Cash on Delivery (COD)", PaymentMethod::CashOnDelivery),
        ("Pago contraentrega", PaymentMethod::CashOnDelivery),
        ("Nequi (QR code)", PaymentMethod::Prepaid),
        ("CoDi", PaymentMethod::Prepaid),
    ] {
        let row = TWO_LINES[0].replacen("paid", "pending", 1).replace("boleto", named);
        let order = orders(&[&row, TWO_LINES[1]]).remove(0).unwrap();
        assert_eq!((order.payment_method, order.paid), (method, None), "{named}");
    }
}

#[test]
fn unusable_contact_details_are_left_out_and_counted() {
    for email in ["ana", "ana..gomez@example.com"] {
        let row = TWO_LINES[0].replace("ana@example.com", email).replace("BR,,,boleto", "BR,123,,boleto");
        let order = orders(&[&row, TWO_LINES[1]]).remove(0).unwrap();
        assert_eq!((order.consignee.email, order.consignee.phone), (None, None), "{email}");
        assert_eq!(order.assumptions.counts().filter(|(name, _)| name.ends_with("left_out")).count(), 2);
    }
}

#[test]
fn a_part_of_the_address_that_is_wrong_is_named_by_its_column() {
    for (from, to, column) in [
        (",Rua A 1,", ",,", "Shipping Address1"),
        (",Santos,", ",,", "Shipping City"),
        (",SP,", &format!(",{},", "S".repeat(101)), "Shipping Province"),
        (",11010-000,", &format!(",{},", "1".repeat(21)), "Shipping Zip"),
    ] {
        let row = TWO_LINES[0].replace(from, to);
        let error = orders(&[&row, TWO_LINES[1]]).remove(0).unwrap_err();
        assert_eq!((error.line, error.field.as_str(), error.code), (2, column, "INVALID_FIELD"));
    }
}

#[test]
fn lines_without_a_sku_are_told_apart_by_all_of_their_name() {
    let skus = |first: &str, second: &str| {
        let rows = [
            TWO_LINES[0].replace("Cafeteira,100.0,CAF-1", &format!("{first},100.0,")),
            TWO_LINES[1].replace("Filtro,23.95,FIL-2", &format!("{second},23.95,")),
        ];
        let order = orders(&[&rows[0], &rows[1]]).remove(0).unwrap();
        assert!(order.assumptions.counts().any(|counted| counted == ("sku_from_name", 2)));
        order.lines.into_iter().map(|line| line.sku.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(skus("Cafeteira", "Filtro"), ["Cafeteira", "Filtro"]);
    let just_fits = "ñ".repeat(64);
    assert_eq!(skus(&just_fits, "Filtro")[0], just_fits);
    let long = "Camiseta de algodón orgánico ".repeat(9);
    let told = skus(&format!("{long}- Azul / M"), &format!("{long}- Azul / L"));
    assert_ne!(told[0], told[1]);
    for sku in &told {
        assert!(sku.starts_with("Camiseta de algodón orgánico Camiseta de algodón"), "{sku}");
        assert!(sku.chars().count() <= 64, "{sku}");
    }
    assert_eq!(told, skus(&format!("{long}- Azul / M"), &format!("{long}- Azul / L")), "and always the same");
    let louder = skus(&format!("{long}- Azul / M").to_uppercase(), "Filtro").remove(0);
    assert_eq!(louder.to_lowercase(), told[0].to_lowercase(), "in any case");
}

#[test]
fn a_file_of_something_else_is_refused() {
    assert_eq!(Columns::read(["a", "b"]).unwrap_err(), MissingColumn("Name"));
}

#[test]
fn what_cannot_be_kept_of_a_payment_is_left_out() {
    let row = TWO_LINES[0].replace("boleto", &format!("bo\u{0}leto {}", "x".repeat(200)));
    let paid = orders(&[&row, TWO_LINES[1]]).remove(0).unwrap().paid.unwrap().unwrap();
    assert!(paid.starts_with("boleto x") && paid.chars().count() == 100, "{paid}");
    let row = TWO_LINES[0].replace(",paid,", ",pa\u{0}id,");
    let error = orders(&[&row, TWO_LINES[1]]).remove(0).unwrap_err();
    assert_eq!((error.code, error.detail.contains('\u{0}')), ("UNKNOWN_STATUS", false));
}

#[test]
fn an_amount_that_may_mean_thousands_is_refused() {
    let amount = |text: &str| {
        let columns = Columns::read(HEADER.split(',')).unwrap();
        let mut cells = vec![String::new(); HEADER.split(',').count()];
        cells[columns.0["Total"]] = text.to_owned();
        let row = Row { line: 2, cells };
        let reader = Reader { columns: &columns, row: &row };
        ["COP", "CLP"].map(|currency| {
            let money = reader.money("Total", currency.parse().unwrap());
            money.ok().flatten().map(|money| money.amount().to_string())
        })
    };
    let text = |amount: &str| Some(amount.to_owned());
    assert_eq!(amount("129.900"), [None, None]);
    assert_eq!(amount("129.90"), [text("129.90"), None]);
    assert_eq!(amount("129900.00"), [text("129900.00"), text("129900")]);
    assert_eq!(amount("1e3"), [None, None]);
}
