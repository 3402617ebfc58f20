//! One of everything that a merchant can own, by where its id stands in a path.

use http::Method;
use quenty_kernel::id::ProductId;
use quenty_testkit::authenticator::Authenticator;
use serde_json::{Value, json};

use super::bodies::tomorrow;
use crate::harness::{
    Fleet, Merchant, Person, Stage,
    counter::Counter,
    merchant::{id, items},
};

/// What is everybody's: words of the law, the public pages of parcels and returns, where the platform collects, and
/// the roles of its own people.
pub const OF_NO_COMPANY: [&str; 5] = [
    "/api/v1/admin/roles/{id}",
    "/api/v1/document-types/{code}",
    "/api/v1/tracking/{number}",
    "/api/v1/returns/track/{token}",
    "/api/v1/service-areas/{id}",
];

/// Real ids by the path that leads to them.
pub struct Belongings(Vec<(&'static str, String)>);

impl Belongings {
    /// The merchant acquires one of each; the platform's own people and vehicles are nobody's business either.
    pub async fn of(stage: &Stage, merchant: &Merchant, fleet: &Fleet) -> Self {
        let customer = create_customer(merchant).await;
        let order = order_for(merchant, &customer).await;
        let text = |name: &str| order[name].as_str().expect("an id").to_owned();
        let driver = first_id(&fleet.dispatcher.client.get("/api/v1/drivers").await.expect(200).json());
        let vehicle = first_id(&fleet.dispatcher.client.get("/api/v1/vehicles").await.expect(200).json());
        let session = first_id(&merchant.client.get("/api/v1/auth/sessions").await.expect(200).json());
        let user = merchant.client.get("/api/v1/profile").await.expect(200).json();
        let member = invite_member(merchant).await;
        let returned = send_back(stage, merchant, fleet).await;
        let photo = add_photo(merchant, &returned).await;
        let disposition = &returned["units"][0]["disposition"]["disposition_id"];
        let things = Self(vec![
            ("/api/v1/admin/users/{id}", id(&user).to_owned()),
            ("/api/v1/users/{id}", id(&user).to_owned()),
            ("/api/v1/auth/sessions/{id}", session),
            ("/api/v1/auth/api-keys/{id}", create_api_key(merchant).await),
            ("/api/v1/auth/mfa/passkeys/{id}", add_passkey(stage, merchant).await),
            ("/api/v1/companies/{id}", merchant.company.clone()),
            ("/api/v1/companies/{id}/members/{member_id}", member.clone()),
            ("/api/v1/invitations/{member_id}", member),
            ("/api/v1/customers/{id}", customer),
            ("/api/v1/products/{id}", merchant.product.clone()),
            ("/api/v1/warehouses/{id}", merchant.warehouse.clone()),
            ("/api/v1/inventory/transfers/{id}", transfer(merchant).await),
            ("/api/v1/imports/{id}", import(merchant).await),
            ("/api/v1/orders/{id}", text("id")),
            ("/api/v1/orders/by-reference/{reference}", text("external_reference")),
            ("/api/v1/pickups/{id}", text("pickup_id")),
            ("/api/v1/pickups/holds/{id}", hold_slot(merchant).await),
            ("/api/v1/drivers/{id}", driver),
            ("/api/v1/vehicles/{id}", vehicle),
            ("/api/v1/shipments/{id}", text("shipment_id")),
            ("/api/v1/manifests/{id}", create_manifest(merchant).await),
            ("/api/v1/manifests/{id}/items/{shipment}", text("shipment_id")),
            ("/api/v1/returns/{id}", id(&returned).to_owned()),
            ("/api/v1/returns/{id}/photos/{photo_id}", photo),
            ("/api/v1/recalls/{id}", recall(merchant).await),
            ("/api/v1/privacy-requests/{id}", ask_to_erase(merchant).await),
            ("/api/v1/dispositions/{id}", disposition.as_str().expect("an id").to_owned()),
        ]);
        stage.settle().await;
        things
    }

    /// Things that paths lead through.
    pub async fn few_of(stage: &Stage, merchant: &Merchant, fleet: &Fleet) -> Self {
        let returned = send_back(stage, merchant, fleet).await;
        Self(vec![
            ("/api/v1/returns/{id}", id(&returned).to_owned()),
            ("/api/v1/companies/{id}", merchant.company.clone()),
            ("/api/v1/manifests/{id}", create_manifest(merchant).await),
        ])
    }

    /// The id at the end of this path.
    pub fn named(&self, path: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| *known == path);
        let missing = || panic!("nobody has a {path}: give the merchant one, or name it in OF_NO_COMPANY");
        found.map_or_else(missing, |(_, id)| id)
    }

    /// The path with these ids in it.
    pub fn fill(&self, path: &str) -> String {
        self.fill_rest(path, String::new())
    }

    /// As far as the first id.
    pub fn fill_first(&self, path: &str) -> String {
        let end = path.find('}').expect("an id") + 1;
        self.fill(&path[..end])
    }

    /// What follows after a beginning that is filled already.
    pub fn fill_rest(&self, path: &str, beginning: String) -> String {
        let mut filled = beginning;
        let mut template = String::new();
        for segment in path.split('/').skip(1) {
            template = format!("{template}/{segment}");
            if template.matches('/').count() > filled.matches('/').count() {
                let segment = if segment.starts_with('{') { self.named(&template) } else { segment };
                filled = format!("{filled}/{segment}");
            }
        }
        filled
    }

    /// Which of the ids stand in a text; who drives comes to everybody.
    pub fn shown_in<'a>(&'a self, text: &str) -> Vec<&'a str> {
        let owned = self.0.iter().filter(|(path, _)| *path != "/api/v1/drivers/{id}");
        owned.map(|(_, id)| id.as_str()).filter(|id| text.contains(id)).collect()
    }

    /// Filters of a list that ask for one of these things; a driver's stops are of several merchants.
    pub fn filters(&self, names: &[String]) -> Vec<(&'static str, &str)> {
        let known = [
            ("order_id", "/api/v1/orders/{id}"),
            ("customer_id", "/api/v1/customers/{id}"),
            ("product", "/api/v1/products/{id}"),
            ("warehouse", "/api/v1/warehouses/{id}"),
            ("return_id", "/api/v1/returns/{id}"),
            ("product_id", "/api/v1/products/{id}"),
            ("recall_id", "/api/v1/recalls/{id}"),
        ];
        let asked = known.into_iter().filter(|(name, _)| names.iter().any(|asked| asked == name));
        asked.map(|(name, path)| (name, self.named(path))).collect()
    }
}

fn first_id(page: &Value) -> String {
    id(items(page).first().expect("one at least")).to_owned()
}

/// Of something that nobody has bought: no return comes of it.
async fn recall(merchant: &Merchant) -> String {
    let body = json!({"product_id": ProductId::new(), "reason": "defective", "resolution": "refund", "way_back": "label"});
    id(&merchant.client.post("/api/v1/recalls", &body).await.expect(202).json()).to_owned()
}

/// Somebody who bought nothing.
async fn ask_to_erase(merchant: &Merchant) -> String {
    let body = json!({"kind": "individual", "name": "Eva Prado"});
    let customer = merchant.client.post("/api/v1/customers", &body).await.expect(201).json();
    let body = json!({"kind": "erase", "customer_id": customer["id"]});
    id(&merchant.client.post("/api/v1/privacy-requests", &body).await.expect(202).json()).to_owned()
}

async fn create_api_key(merchant: &Merchant) -> String {
    let body = json!({"name": "web shop", "scopes": ["orders:read"]});
    id(&merchant.client.post("/api/v1/auth/api-keys", &body).await.expect(201).json()).to_owned()
}

async fn add_passkey(stage: &Stage, merchant: &Merchant) -> String {
    // Browsers make passkeys for names, not for addresses.
    let origin = stage.gateway.replace("127.0.0.1", "localhost");
    let mut phone = Authenticator { origin, ..Authenticator::new() };
    let asked =
        merchant.client.post("/api/v1/auth/mfa/passkeys/options", &json!({})).await.expect(200).json();
    let body = json!({"name": "phone", "passkey": phone.create(&asked["public_key"])});
    id(&merchant.client.post("/api/v1/auth/mfa/passkeys", &body).await.expect(201).json()).to_owned()
}

async fn create_customer(merchant: &Merchant) -> String {
    let body = json!({"kind": "individual", "name": "Luz Marín", "email": "luz@example.com"});
    id(&merchant.client.post("/api/v1/customers", &body).await.expect(201).json()).to_owned()
}

/// An order that has its pickup and its shipment.
async fn order_for(merchant: &Merchant, customer: &str) -> Value {
    let mut order = merchant.cash_order();
    order["customer_id"] = json!(customer);
    order["external_reference"] = json!("the-first-merchants-1001");
    let order = merchant.place(&order).await;
    merchant.until_status(&order, "processing").await
}

/// A return of an order of its own, as far as what becomes of its piece.
async fn send_back(stage: &Stage, merchant: &Merchant, fleet: &Fleet) -> Value {
    let order = merchant.place(&merchant.cash_order()).await;
    fleet.collect(&order).await;
    let shipment = fleet.shipment_of(&order).await;
    fleet.deliver(&shipment).await;
    merchant.until_status(&order, "delivered").await;
    let counter = Counter::new(merchant, fleet, &Person::administrator(stage).await);
    let asked = counter.request(&Counter::wanted(&order, "drop_off")).await;
    counter.process(&asked).await
}

async fn add_photo(merchant: &Merchant, of: &Value) -> String {
    let path = format!("/api/v1/returns/{}/photos", id(of));
    let form = b"--x\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"a.png\"\r\n\r\n\x89PNG\r\n\x1a\n0000\r\n--x--\r\n";
    let call = merchant.client.call(Method::POST, &path);
    let kept = call.raw("multipart/form-data; boundary=x", form.to_vec()).send().await.expect(201).json();
    id(&kept).to_owned()
}

async fn invite_member(merchant: &Merchant) -> String {
    let path = format!("/api/v1/companies/{}/members", merchant.company);
    let body = json!({"email": "eva@tienda.example", "role": "viewer", "given_name": "Eva", "family_name": "Ruiz",
        "language": "es-CO"});
    let invited = merchant.client.post(&path, &body).await;
    assert!(invited.status() < 300, "{}", invited.text());
    id(&invited.json()).to_owned()
}

async fn transfer(merchant: &Merchant) -> String {
    let warehouse = json!({"name": "Bodega sur",
        "address": {"line1": "Calle 10 Sur # 48-62", "city": "Bogotá", "postal_code": "110411", "country": "CO"}});
    let other = merchant.client.post("/api/v1/warehouses", &warehouse).await.expect(201).json();
    let body = json!({"from_warehouse_id": merchant.warehouse, "to_warehouse_id": id(&other),
        "lines": [{"product_id": merchant.product, "quantity": 5}]});
    id(&merchant.client.post("/api/v1/inventory/transfers", &body).await.expect(201).json()).to_owned()
}

/// Of a file with one order, which is only looked at.
async fn import(merchant: &Merchant) -> String {
    let file = "Name,Currency,Total,Lineitem quantity,Lineitem name,Lineitem price,Shipping Name,Shipping Address1,Shipping City,Shipping Country\n\
                #1,COP,10.00,1,Taza,10.00,Ana,Calle 1 # 2-3,Cali,CO\n";
    let call = merchant.client.call(Method::POST, "/api/v1/orders/import?dry_run=true");
    id(&call.raw("text/csv", file).send().await.expect(202).json()).to_owned()
}

async fn hold_slot(merchant: &Merchant) -> String {
    let body =
        json!({"place": {"country": "CO", "postal_code": "110221"}, "date": tomorrow(), "slot": "08:00"});
    let held = merchant.client.post("/api/v1/pickups/holds", &body).await.expect(201).json();
    held["hold_id"].as_str().expect("an id").to_owned()
}

async fn create_manifest(merchant: &Merchant) -> String {
    let body = json!({"origin": "CO", "date": tomorrow()});
    id(&merchant.client.post("/api/v1/manifests", &body).await.expect(201).json()).to_owned()
}
