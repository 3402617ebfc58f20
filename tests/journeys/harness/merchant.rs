//! A merchant in Bogotá: a company that may order, a catalogue, stock, and the orders it places.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Client, Stage,
    people::{PASSWORD, Person},
};

/// A place inside the service area of [`super::fleet::Fleet`], and one that nobody collects from.
pub const BOGOTA: (&str, &str) = ("Bogotá", "110221");
pub const LETICIA: (&str, &str) = ("Leticia", "910001");

#[derive(Clone)]
pub struct Merchant {
    pub client: Client,
    pub company: String,
    pub product: String,
    pub warehouse: String,
}

/// The merchant whom [`super::Cast::enter`] opens.
pub const FIRST: u64 = 1;

fn owner_email(number: u64) -> String {
    format!("owner{number}@tienda.example")
}

impl Merchant {
    /// From the registration to a stocked warehouse. `number` tells merchants of one platform apart.
    pub async fn open(stage: &Stage, support: &Person, number: u64, place: (&str, &str)) -> Self {
        let owner = Person::register(stage, &owner_email(number)).await;
        Self::of_owner(stage, support, owner, number, place).await
    }

    /// Another company of the first merchant's owner: strangers may not register without end.
    pub async fn another(stage: &Stage, support: &Person, number: u64) -> Self {
        let owner = Person::log_in(stage, &owner_email(FIRST), PASSWORD).await;
        Self::of_owner(stage, support, owner, number, BOGOTA).await
    }

    async fn of_owner(
        stage: &Stage,
        support: &Person,
        owner: Person,
        number: u64,
        (city, postal_code): (&str, &str),
    ) -> Self {
        let company = register_company(&owner, number).await;
        let owner = owner.switch_company(&company).await;
        let path = format!("/api/v1/companies/{company}");
        let submitted = owner.client.post(&format!("{path}/submit"), &json!({})).await.expect(200).json();
        assert_eq!(submitted["status"], "in_review");
        let approved = support.client.post(&format!("{path}/approve"), &json!({})).await.expect(200).json();
        assert_eq!(approved["status"], "active");
        let (product, warehouse) = open_warehouse(&owner.client, city, postal_code).await;
        let merchant = Self { client: owner.client, company, product, warehouse };
        merchant.receive(1_000).await;
        // Who has just been approved may order as soon as the word of it has reached Order.
        stage.settle().await;
        merchant
    }

    /// What shipping abroad needs.
    pub async fn pass_kyc(&self, stage: &Stage, support: &Person) {
        let path = format!("/api/v1/companies/{}/kyc", self.company);
        self.client.post(&path, &json!({})).await.expect(200);
        let verdict = json!({"decision": "verified"});
        let decided = support.client.post(&format!("{path}/decision"), &verdict).await.expect(200).json();
        assert_eq!(decided["kyc"], "verified");
        stage.settle().await;
    }

    pub async fn receive(&self, pieces: i64) {
        let body = json!({"kind": "receipt", "product_id": self.product, "warehouse_id": self.warehouse, "quantity": pieces});
        self.client.post("/api/v1/inventory/movements", &body).await.expect(201);
    }

    /// Pieces on the shelf, and those set aside.
    pub async fn stock(&self) -> (i64, i64) {
        let path = format!("/api/v1/inventory?product={}", self.product);
        let listed = self.client.get(&path).await.expect(200).json();
        let sum = |name: &str| items(&listed).iter().map(|item| item[name].as_i64().expect("a number")).sum();
        (sum("on_hand"), sum("reserved"))
    }

    /// An order of two shirts at home, collected as soon as somebody can.
    pub fn order(&self) -> Value {
        json!({
            "payment_method": "prepaid",
            "lines": [{"product_id": self.product, "quantity": 2}],
            "consignee": {"name": "Luz Marín", "phone": "+573001234567", "email": "luz@example.com",
                "address": {"line1": "Carrera 43A # 1-50", "city": "Medellín", "state": "Antioquia", "postal_code": "050021", "country": "CO"}},
            "pickup": {"kind": "on_demand"},
        })
    }

    pub fn cash_order(&self) -> Value {
        let mut order = self.order();
        order["payment_method"] = json!("cash_on_delivery");
        order
    }

    /// To Mexico.
    pub fn order_abroad(&self) -> Value {
        let mut order = self.order();
        order["consignee"]["address"] = json!({"line1": "Av. Paseo de la Reforma 222", "city": "Ciudad de México", "state": "CDMX", "postal_code": "06600", "country": "MX"});
        order
    }

    pub async fn place(&self, order: &Value) -> Value {
        self.client.post("/api/v1/orders", order).await.expect(201).json()
    }

    pub async fn pay(&self, order: &Value) {
        let path = format!("/api/v1/orders/{}/payments", id(order));
        let body = json!({"amount": order["totals"]["total"], "reference": "transfer"});
        self.client.post(&path, &body).await.expect(200);
    }

    pub async fn cancel(&self, order: &Value) -> Value {
        let path = format!("/api/v1/orders/{}/cancel", id(order));
        self.client.post(&path, &json!({"reason": "changed my mind"})).await.expect(200).json()
    }

    /// The same merchant on a platform under fire.
    #[must_use]
    pub fn patient(&self, patience: Duration) -> Self {
        Self { client: self.client.patient(patience), ..self.clone() }
    }

    /// Waits until the order is as told, and shows it.
    pub async fn until(&self, order: &Value, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let path = format!("/api/v1/orders/{}", id(order));
        let what = format!("the order is {what}");
        self.client.wait_for(&path, &what, |order| is_so(order).then(|| order.clone())).await
    }

    pub async fn until_status(&self, order: &Value, status: &str) -> Value {
        self.until(order, status, |order| order["status"] == status).await
    }

    /// What the timeline tells, as `source.code`.
    pub async fn timeline(&self, order: &Value) -> Vec<String> {
        let path = format!("/api/v1/orders/{}/timeline?limit=100", id(order));
        let told = self.client.get(&path).await.expect(200).json();
        let text = |entry: &Value, name: &str| entry[name].as_str().expect("a text").to_owned();
        items(&told)
            .iter()
            .map(|entry| format!("{}.{}", text(entry, "source"), text(entry, "code")))
            .collect()
    }
}

/// The id of whatever the platform answered with.
pub fn id(thing: &Value) -> &str {
    thing["id"].as_str().expect("an id")
}

/// The items of a list.
pub fn items(page: &Value) -> &[Value] {
    page["items"].as_array().expect("items")
}

async fn register_company(owner: &Person, number: u64) -> String {
    let body = json!({
        "kind": "business", "legal_name": format!("Tienda {number} S.A.S."), "trade_name": format!("Tienda {number}"), "country": "CO",
        "document": {"type": "NIT", "number": nit(900_100_000 + number)},
        "currency": "COP", "time_zone": "America/Bogota", "language": "es-CO",
    });
    let company = owner.client.post("/api/v1/companies", &body).await.expect(201).json();
    id(&company).to_owned()
}

async fn open_warehouse(owner: &Client, city: &str, postal_code: &str) -> (String, String) {
    let product = json!({
        "sku": "CAM-BLA-M", "name": "Camiseta blanca M", "price": {"amount": "45000.00", "currency": "COP"}, "weight_grams": 250,
        "dimensions": {"length_mm": 300, "width_mm": 200, "height_mm": 40}, "hs_code": "6109.10", "country_of_origin": "CO",
    });
    let product = owner.post("/api/v1/products", &product).await.expect(201).json();
    let warehouse = json!({
        "name": "Bodega", "contact_phone": "+576012345678",
        "address": {"line1": "Calle 93 # 13-24", "city": city, "postal_code": postal_code, "country": "CO"},
    });
    let warehouse = owner.post("/api/v1/warehouses", &warehouse).await.expect(201).json();
    (id(&product).to_owned(), id(&warehouse).to_owned())
}

/// A Colombian tax number with its check digit (DIAN: weights modulo 11).
fn nit(number: u64) -> String {
    const WEIGHTS: [u64; 9] = [3, 7, 13, 17, 19, 23, 29, 37, 41];
    let (mut rest, mut sum) = (number, 0);
    for weight in WEIGHTS {
        sum += rest % 10 * weight;
        rest /= 10;
    }
    let digit = match sum % 11 {
        remainder @ (0 | 1) => remainder,
        remainder => 11 - remainder,
    };
    format!("{number}-{digit}")
}
