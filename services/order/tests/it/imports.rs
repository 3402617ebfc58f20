use quenty_contracts::customer::Standing;
use quenty_kernel::id::{CompanyId, OrderId};
use quenty_platform::token::Realm;
use quenty_testkit::{TestApp, eventually};
use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::{
    import_file::{
        Customers, TWO_ORDERS, app_with, count, counts, ended, file, import, merchant, options, orders, row,
        rows, send,
    },
    merchant::{Merchant, assert_stock_is_its_ledger},
    shop::{hear_standing, standing, start},
};

#[tokio::test]
async fn a_shops_export_goes_in_as_it_is() {
    let customers = Customers::default();
    let app = app_with(&customers).await;
    let merchant = merchant(&app).await;
    let done = import(&merchant, "stock=assume", file(TWO_ORDERS)).await;
    assert_eq!((&done["status"], counts(&done)), (&json!("done"), [2, 2, 0, 0]), "{done:#}");
    assert_eq!(
        done["assumed"],
        json!({"product_estimated": 3, "stock_received": 2, "international": 2, "payment_recorded": 2})
    );
    assert_eq!(customers.emails(), ["ana@example.com", "rui@example.com"]);

    let order = merchant.get("/api/v1/orders/by-reference/%23ac64").await.expect(200).json();
    assert_eq!(order["totals"]["total"], json!({"amount": "1140.58", "currency": "BRL"}));
    assert_eq!(order["totals"]["shipping"]["amount"], "20.60");
    assert_eq!((&order["kind"], &order["payment_status"]), (&json!("international"), &json!("paid")));
    assert_eq!(order["lines"].as_array().map(Vec::len), Some(2));
    assert_eq!(order["consignee"]["address"]["postal_code"], "04363-000");
    assert!(order["customer_id"].is_string());
    let products = merchant.get("/api/v1/products").await.expect(200).json();
    assert!(products["items"].as_array().unwrap().iter().all(|product| product["estimated"] == true));
    assert_stock_is_its_ledger(&app).await;
    assert_eq!(count(&app, "select count(*) from import_parts").await, 0, "the file is let go");
    app.assert_sound().await;
}

#[tokio::test]
async fn bad_rows_are_told_by_line_field_and_code_and_stop_nobody() {
    let app = app_with(&Customers::default()).await;
    let merchant = merchant(&app).await;
    let content = [
        row("#1"),
        row("#2").replace(",1,Filtro", ",-1,Filtro"),
        row("#3").replace(",paid,", ",=1+1,"),
        row("#4").replace("100.00,,1,", "100.01,,1,"),
        row("#5").replace(",CO,", ",Colombia,"),
        row("#6"),
    ];
    let done = import(&merchant, "stock=assume", file(&content.concat())).await;
    assert_eq!(counts(&done), [6, 2, 0, 4]);
    let path = format!("/api/v1/imports/{}/errors", done["id"].as_str().unwrap());
    let answer = merchant.get(&path).await.expect(200);
    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
    let told = answer.text();
    let told: Vec<&str> = told.lines().collect();
    assert_eq!(told[0], "line,field,code,detail");
    for (line, start) in [
        "3,Lineitem quantity,INVALID_FIELD,",
        "4,Financial Status,UNKNOWN_STATUS,",
        "5,Total,DOES_NOT_ADD_UP,",
        "6,Shipping Country,INVALID_FIELD,",
    ]
    .iter()
    .enumerate()
    {
        assert!(told[line + 1].starts_with(start), "{} should start with {start}", told[line + 1]);
    }
    assert!(
        told[2].contains(",'=1+1 is not a payment status"),
        "a formula is text in a file of ours: {}",
        told[2]
    );
    assert_eq!(told.len(), 5);
    assert_eq!(orders(&merchant).await.len(), 2);
}

#[tokio::test]
async fn of_a_file_that_is_wrong_in_every_row_all_are_counted_and_the_first_thousand_are_told() {
    let app = app_with(&Customers::default()).await;
    let merchant = merchant(&app).await;
    let content = rows(1_002).replace(",1,Filtro", ",0,Filtro");
    let done = import(&merchant, "stock=assume", file(&content)).await;
    assert_eq!(counts(&done), [1_002, 0, 0, 1_002]);
    let path = format!("/api/v1/imports/{}/errors", done["id"].as_str().unwrap());
    let told = merchant.get(&path).await.expect(200).text();
    let told: Vec<&str> = told.lines().collect();
    assert_eq!(told.len(), 1 + 1_000, "after a header");
    assert!(told[1].starts_with("2,") && told[1_000].starts_with("1001,"), "{} {}", told[1], told[1_000]);
}

#[tokio::test]
async fn the_same_file_twice_makes_nothing_twice() {
    let customers = Customers::default();
    let app = app_with(&customers).await;
    let merchant = merchant(&app).await;
    import(&merchant, "stock=assume", file(TWO_ORDERS)).await;
    let before = (
        orders(&merchant).await,
        count(&app, "select count(*) from stock_movements").await,
        customers.emails(),
    );
    let again = import(&merchant, "stock=assume", file(TWO_ORDERS)).await;
    assert_eq!((counts(&again), &again["assumed"]), ([2, 0, 2, 0], &json!({})));
    let after = (
        orders(&merchant).await,
        count(&app, "select count(*) from stock_movements").await,
        customers.emails(),
    );
    assert_eq!(before, after);
}

#[tokio::test]
async fn a_dry_run_tells_everything_and_changes_nothing() {
    let customers = Customers::default();
    let app = app_with(&customers).await;
    let merchant = merchant(&app).await;
    let bad = row("#7").replace(",1,Filtro", ",0,Filtro");
    let content = file(&format!("{TWO_ORDERS}{bad}{}{}", row("#8"), row("#9").replace("FIL-1", "fil-1")));
    let done = import(&merchant, "stock=assume&dry_run=true", content).await;
    assert_eq!((&done["dry_run"], counts(&done)), (&json!(true), [5, 4, 0, 1]));
    assert_eq!(done["assumed"]["product_estimated"], 4, "each product once");
    assert_eq!(count(&app, "select (select count(*) from orders) + (select count(*) from products) + (select count(*) from stock_movements)").await, 0);
    assert_eq!(customers.emails(), Vec::<String>::new());
    app.assert_sound().await;
}

#[tokio::test]
async fn what_is_short_is_received_or_waits_as_was_asked() {
    let app = app_with(&Customers::default()).await;
    let merchant = merchant(&app).await;
    let waiting = import(&merchant, "stock=backorder", file(&row("#1"))).await;
    assert_eq!(waiting["assumed"], json!({"product_estimated": 1, "payment_recorded": 1, "backordered": 1}));
    assert_eq!(orders(&merchant).await[0]["status"], "backordered");
    let received = import(&merchant, "stock=assume", file(&row("#2"))).await;
    assert_eq!(received["assumed"], json!({"stock_received": 1, "payment_recorded": 1}));
    app.at_rest().await;
    assert_eq!(count(&app, "select count(*) from stock_movements where kind = 'receipt'").await, 1);
    // What came in for the second order was never there for the first, so that nobody was called.
    assert_eq!(count(&app, "select count(*) from quenty.tasks where kind = 'allocate_backorders'").await, 0);
    assert_eq!(count(&app, "select count(*) from orders where status = 'backordered'").await, 1);
    assert_stock_is_its_ledger(&app).await;
}

#[tokio::test]
async fn variants_of_a_long_title_without_a_sku_are_products_of_their_own() {
    let app = app_with(&Customers::default()).await;
    let merchant = merchant(&app).await;
    let title = "Camiseta de algodón orgánico con estampado de montañas y cuello en V";
    let of = |reference: &str, variant: &str| {
        row(reference).replace("Filtro,100.00,FIL-1", &format!("{title} - {variant},100.00,"))
    };
    let content = [of("#1", "Azul / M"), of("#2", "Azul / L"), of("#3", "Azul / M")].concat();
    let done = import(&merchant, "stock=assume", file(&content)).await;
    assert_eq!((counts(&done), &done["assumed"]["product_estimated"]), ([3, 3, 0, 0], &json!(2)));
    let products = merchant.get("/api/v1/products").await.expect(200).json();
    let names: Vec<_> =
        products["items"].as_array().unwrap().iter().map(|product| product["name"].clone()).collect();
    assert_eq!(names, [json!(format!("{title} - Azul / L")), json!(format!("{title} - Azul / M"))]);
}

#[tokio::test]
async fn what_is_not_sent_as_csv_is_refused_before_it_is_read() {
    let app = app_with(&Customers::default()).await;
    let merchant = merchant(&app).await;
    let send = |kind: &'static str| {
        let call = app.post("/api/v1/orders/import?stock=assume").token(&merchant.token);
        call.raw(kind, file(&row("#1"))).send()
    };
    for kind in [
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "application/octet-stream",
        "text/csvx",
        "",
    ] {
        let refused = send(kind).await.expect_problem(415, "UNSUPPORTED_MEDIA_TYPE");
        assert!(refused.text().contains("Content-Type: text/csv"), "{kind}: {}", refused.text());
    }
    assert_eq!(count(&app, "select count(*) from imports").await, 0);
    let accepted = send("Text/CSV; charset=utf-8").await.expect(202);
    assert_eq!(counts(&ended(&merchant, accepted.header("location").unwrap()).await), [1, 1, 0, 0]);
}

#[tokio::test]
async fn cells_that_cannot_be_kept_stop_nobody() {
    let app = app_with(&Customers::default()).await;
    let merchant = merchant(&app).await;
    let content = [
        row("#1").replace(",PSE,", ",P\u{0}SE,"),
        row("#2").replace(",paid,", ",pa\u{0}id,"),
        row("#3").replace("Filtro", "Fil\u{0}tro"),
        row("#4").replace("Bogotá", "Bogo\u{0}tá"),
        row("#5"),
    ];
    let done = import(&merchant, "stock=assume", file(&content.concat())).await;
    assert_eq!((&done["status"], counts(&done)), (&json!("done"), [5, 3, 0, 2]), "{done:#}");
}

#[tokio::test]
async fn who_brings_a_file_in_is_who_places_its_orders() {
    let app = app_with(&Customers::default()).await;
    let merchant = merchant(&app).await;
    import(&merchant, "stock=assume", file(TWO_ORDERS)).await;
    let id: OrderId = orders(&merchant).await[0]["id"].as_str().unwrap().parse().unwrap();
    let actor: String = sqlx::query_scalar("select actor from quenty.journal where stream = $1 limit 1")
        .bind(id.to_string())
        .fetch_one(app.app.db())
        .await
        .unwrap();
    assert!(actor.starts_with("user:"), "{actor}");
}

#[tokio::test]
async fn an_import_belongs_to_its_company() {
    let app = app_with(&Customers::default()).await;
    let (one, other) = (merchant(&app).await, merchant(&app).await);
    let done = import(&one, "stock=assume", file(&row("#1"))).await;
    let path = format!("/api/v1/imports/{}", done["id"].as_str().unwrap());
    other.get(&path).await.expect_problem(404, "NOT_FOUND");
    other.get(&format!("{path}/errors")).await.expect_problem(404, "NOT_FOUND");
    assert_eq!(
        counts(&import(&other, "stock=assume", file(&row("#1"))).await),
        [1, 1, 0, 0],
        "references are each company's own"
    );
    assert_eq!((orders(&one).await.len(), orders(&other).await.len()), (1, 1));
    let reader = app.token(Realm::Company, Some(one.company), &["orders:read"]);
    app.post("/api/v1/orders/import")
        .token(&reader)
        .raw("text/csv", file(&row("#2")))
        .send()
        .await
        .expect_problem(403, "NOT_PERMITTED");
}

#[tokio::test]
async fn a_company_that_may_not_order_imports_nothing_and_nobody() {
    let customers = Customers::default();
    let app = app_with(&customers).await;
    let merchant = Merchant::new(&app);
    let mut barred = standing(merchant.company);
    (barred.status, barred.may_order) = ("suspended".to_owned(), false);
    hear_standing(&app, barred).await;
    merchant.warehouse("Centro").await;
    let done = import(&merchant, "", file(&(rows(3) + TWO_ORDERS))).await;
    assert_eq!((counts(&done), count(&app, "select count(*) from orders").await), ([5, 0, 0, 5], 0));
    // Nor does one that may not ship abroad, of orders that would go there.
    hear_standing(&app, Standing { version: 2, ..standing(merchant.company) }).await;
    let done = import(&merchant, "stock=assume", file(TWO_ORDERS)).await;
    assert_eq!(counts(&done), [2, 0, 0, 2]);
    assert_eq!(customers.emails(), Vec::<String>::new(), "whose order is refused is nobody's customer");
    // Nor of what is sold no more.
    let mut verified = standing(merchant.company);
    (verified.version, verified.may_ship_internationally) = (3, true);
    hear_standing(&app, verified).await;
    let gone = merchant.product("060CB19345d90064", json!({})).await;
    merchant.delete(&format!("/api/v1/products/{gone}")).await.expect(204);
    let done = import(&merchant, "stock=assume", file(TWO_ORDERS)).await;
    assert_eq!((counts(&done), customers.emails()), ([2, 1, 0, 1], vec!["rui@example.com".to_owned()]));
}

#[tokio::test]
async fn what_is_no_order_export_fails_as_a_whole_and_says_why() {
    let app = app_with(&Customers::default()).await;
    let merchant = merchant(&app).await;
    let latin1 = [
        file(&row("#1")).into_bytes(),
        row("#2")
            .replace("Bogotá", "X")
            .into_bytes()
            .iter()
            .map(|b| if *b == b'X' { 0xe1 } else { *b })
            .collect(),
    ]
    .concat();
    let unclosed = file(&row("#1").replace("Carrera 7 # 71-21", "\"Carrera 7")) + &rows(15_000);
    for (content, why) in [
        (latin1, "line 3 is not UTF-8"),
        (b"{\"orders\": []}".to_vec(), "the file has no column \"Name\""),
        (vec![0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a], "line 1 is not UTF-8"),
        (unclosed.into_bytes(), "is a quotation mark not closed?"),
    ] {
        let done = import(&merchant, "stock=assume", content).await;
        let failure = done["failure"].as_str().unwrap_or_default();
        assert!(done["status"] == "failed" && failure.contains(why), "{why}: {done:#}");
    }
    assert_eq!(count(&app, "select count(*) from import_parts").await, 0);
}

#[tokio::test]
async fn a_file_that_is_empty_or_too_large_or_breaks_off_leaves_nothing() {
    let app = app_with(&Customers::default()).await;
    let merchant = merchant(&app).await;
    send(&merchant, "", Vec::new()).await.expect_problem(422, "EMPTY_FILE");
    send(&merchant, "", vec![b'x'; 2_000_001]).await.expect_problem(413, "FILE_TOO_LARGE");
    let mut stream =
        tokio::net::TcpStream::connect(app.base_url.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "POST /api/v1/orders/import HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: text/csv\r\ncontent-length: 100000\r\n\r\n",
        merchant.token
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(file(&rows(10)).as_bytes()).await.unwrap();
    eventually("the upload has begun", || async {
        (count(&app, "select count(*) from imports").await == 1).then_some(())
    })
    .await;
    drop(stream);
    eventually("the upload is forgotten", || async {
        (count(&app, "select count(*) from imports").await == 0).then_some(())
    })
    .await;
    app.assert_sound().await;
}

#[tokio::test]
async fn one_key_is_one_file_and_one_import() {
    let app = app_with(&Customers::default()).await;
    let merchant = merchant(&app).await;
    let call = |content: String| {
        app.post("/api/v1/orders/import?stock=assume")
            .token(&merchant.token)
            .idempotency_key("k-1")
            .raw("text/csv", content)
            .send()
    };
    let (first, again) = (call(file(TWO_ORDERS)).await.expect(202), call(file(TWO_ORDERS)).await.expect(202));
    assert_eq!(
        (first.json()["id"].as_str(), again.header("idempotency-replayed")),
        (again.json()["id"].as_str(), Some("true"))
    );
    call(file(&row("#1"))).await.expect_problem(422, "IDEMPOTENCY_KEY_REUSED");
    let done = ended(&merchant, first.header("location").unwrap()).await;
    assert_eq!((counts(&done), count(&app, "select count(*) from imports").await), ([2, 2, 0, 0], 1));
}

#[tokio::test]
async fn uploads_that_nobody_ended_are_forgotten_after_a_day() {
    let customers = Customers::default();
    let app = app_with(&customers).await;
    for (status, hours) in [("uploading", 25), ("uploading", 23), ("done", 25)] {
        let old = "insert into imports (id, company_id, status, dry_run, assume_stock, bytes, processed, created, already_there, rejected, assumed, created_by, created_at, updated_at)
                   values (gen_random_uuid(), $1, $2, false, false, 0, 0, 0, 0, 0, '{}', 'x', $3::text::timestamptz - make_interval(hours => $4), now())";
        let query =
            sqlx::query(old).bind(CompanyId::new().uuid()).bind(status).bind(start().to_string()).bind(hours);
        query.execute(app.app.db()).await.unwrap();
    }
    let database = app.stop().await;
    let app = TestApp::start_on(quenty_order::service(), options(customers.serve().await), database).await;
    eventually("the old upload is forgotten", || async {
        (count(&app, "select count(*) from imports").await == 2).then_some(())
    })
    .await;
    assert_eq!(count(&app, "select count(*) from imports where status = 'uploading'").await, 1);
}
