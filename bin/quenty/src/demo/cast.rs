//! The people of the demo and what they need before the week begins: staff and drivers are invited, the
//! merchant registers, is approved, fills its shelves. Everything through the public API; links come from
//! the mails.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::{
    api::{Api, Session},
    plan::PlannedOrder,
    story::text,
    world::{BOGOTA, CATALOGUE, WAREHOUSES},
};

/// Where the demo finds the administrator and the mails.
#[derive(Debug, Clone)]
pub struct Backstage {
    pub url: String,
    pub admin_email: String,
    pub admin_password: String,
    pub mail_dir: PathBuf,
}

pub struct Driver {
    pub id: String,
    pub session: Session,
}

/// Everybody, logged in.
pub struct Cast {
    pub operator: Session,
    pub dispatcher: Session,
    pub merchant: Session,
    pub drivers: Vec<Driver>,
    products: Vec<Value>,
}

const MERCHANT: &str = "camila.rojas@raices.example.com";
const MERCHANT_USERNAME: &str = "camila.rojas";
const DRIVERS: [(&str, &str); 4] =
    [("Wilson", "Cárdenas"), ("Yaneth", "Bernal"), ("Jairo", "Peña"), ("Luz", "Quintero")];
/// Enough of everything for any week.
const OPENING_STOCK: u32 = 5_000;
const SLOT_CAPACITY: u32 = 60;
const ROOM_FOR_IMPORTS: u64 = 10_000;
const AREA: &str = "Bogotá";

impl Backstage {
    /// The password of the demo's own people: made for this platform, kept nowhere else.
    fn password(&self, who: &str) -> String {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        (&self.admin_password, who).hash(&mut hasher);
        format!("Raices-{:016x}-{}", hasher.finish(), who.len())
    }

    /// The token of the newest mail to this address whose link has one.
    async fn mailed_token(&self, to: &str) -> Result<String> {
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
        loop {
            if let Some(token) = newest_token(&self.mail_dir, to)? {
                return Ok(token);
            }
            if tokio::time::Instant::now() > deadline {
                bail!("no mail to {to} in {}", self.mail_dir.display());
            }
            tokio::time::sleep(std::time::Duration::from_millis(30)).await;
        }
    }
}

fn newest_token(folder: &Path, to: &str) -> Result<Option<String>> {
    let mut newest: Option<(String, String)> = None;
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_none_or(|ending| ending != "json") {
            continue;
        }
        let mail: Value = serde_json::from_slice(&std::fs::read(&path)?)?;
        let token = mail["link"]
            .as_str()
            .and_then(|link| link.split_once("token="))
            .map(|(_, token)| token.to_owned());
        if let (Some(to_whom), Some(token)) = (mail["to"].as_str(), token) {
            let sent = mail["sent_at"].as_str().unwrap_or_default().to_owned();
            if to_whom.eq_ignore_ascii_case(to) && newest.as_ref().is_none_or(|(at, _)| *at <= sent) {
                newest = Some((sent, token));
            }
        }
    }
    Ok(newest.map(|(_, token)| token))
}

impl Cast {
    /// Assembles the cast, or finds it again on a platform where it has played before.
    pub async fn assemble(backstage: &Backstage) -> Result<Self> {
        let api = Api::new(&backstage.url);
        let operator = api
            .login(&backstage.admin_email, &backstage.admin_password)
            .await
            .context("the administrator cannot log in")?;
        let dispatcher = invited(&api, &operator, backstage, ("Patricia", "Vargas"), "dispatcher").await?.1;
        let drivers = drivers(&api, &operator, backstage).await?;
        let merchant = merchant(&api, &operator, backstage).await?;
        service_area(&operator).await?;
        let warehouses = warehouses(&merchant).await?;
        let products = catalogue(&merchant, &warehouses).await?;
        Ok(Self { operator, dispatcher, merchant, drivers, products })
    }

    /// The driver whose turn it is, as an index; the same order always has the same one.
    pub fn turn(&self, order: usize) -> usize {
        order % self.drivers.len()
    }

    /// Makes room for a file of orders: the drivers take as many a slot as the platform allows.
    pub async fn make_room(&self) -> Result<()> {
        let area = own_area(&self.operator).await?.context("the cast has a service area")?;
        if area["capacity_per_slot"].as_u64() < Some(ROOM_FOR_IMPORTS) {
            self.operator
                .patch(
                    &format!("/api/v1/service-areas/{}", text(&area, "id")?),
                    &json!({"capacity_per_slot": ROOM_FOR_IMPORTS}),
                )
                .await?;
        }
        Ok(())
    }

    /// What the merchant sends to place a planned order; `now` asks for an on-demand pickup.
    pub fn order(&self, order: &PlannedOrder, now: bool) -> Value {
        let (city, state, country, postal_code, lat, lng, _) = order.place;
        let lines: Vec<Value> = order.lines.iter().map(|(product, quantity)| json!({"product_id": self.products[*product]["id"], "quantity": quantity})).collect();
        let mut body = json!({
            "external_reference": order.reference,
            "kind": if order.international { "international" } else if order.express { "express" } else { "standard" },
            "payment_method": if order.cash_on_delivery { "cash_on_delivery" } else { "prepaid" },
            "lines": lines,
            "consignee": {
                "name": order.name, "phone": order.phone, "email": order.email,
                "address": {
                    "line1": order.street, "city": city, "state": state, "postal_code": postal_code, "country": country,
                    "location": {"lat": lat, "lng": lng},
                },
            },
        });
        if now && !order.express {
            body["pickup"] = json!({"kind": "on_demand"});
        }
        body
    }
}

fn cop(amount: u32) -> Value {
    json!({"amount": format!("{amount}.00"), "currency": "COP"})
}

fn address_of(given: &str, family: &str) -> String {
    let plain: String = format!("{given}.{family}")
        .to_lowercase()
        .replace(['á', 'ã'], "a")
        .replace('é', "e")
        .replace('í', "i")
        .replace('ó', "o")
        .replace('ñ', "n");
    format!("{plain}@quenty.example.com")
}

/// Invites somebody of the platform and accepts for them; logs in when they are there already.
async fn invited(
    api: &Api,
    operator: &Session,
    backstage: &Backstage,
    name: (&str, &str),
    role: &str,
) -> Result<(Option<String>, Session)> {
    let email = address_of(name.0, name.1);
    let password = backstage.password(&email);
    if let Ok(session) = api.login(&email, &password).await {
        return Ok((None, session));
    }
    let body = json!({"email": email, "given_name": name.0, "family_name": name.1, "language": "es", "roles": [role]});
    let user = operator.post("/api/v1/users", &body).await?;
    let token = backstage.mailed_token(&email).await?;
    api.post_open("/api/v1/auth/invitations/accept", &json!({"token": token, "password": password})).await?;
    Ok((Some(text(&user, "id")?), api.login(&email, &password).await?))
}

async fn drivers(api: &Api, operator: &Session, backstage: &Backstage) -> Result<Vec<Driver>> {
    let known = operator.get("/api/v1/drivers?limit=100").await?;
    let mut drivers = Vec::new();
    for (index, name) in DRIVERS.into_iter().enumerate() {
        let (user, session) = invited(api, operator, backstage, name, "driver").await?;
        let full = format!("{} {}", name.0, name.1);
        let found = known["items"]
            .as_array()
            .and_then(|list| list.iter().find(|driver| driver["name"] == full.as_str()));
        let driver = match (found, user) {
            (Some(driver), _) => driver.clone(),
            (None, Some(user)) => {
                let vehicle = operator
                    .post(
                        "/api/v1/vehicles",
                        &json!({"kind": "van", "capacity_grams": 900_000, "capacity_cm3": 5_000_000}),
                    )
                    .await?;
                let body = json!({"user_id": user, "name": full, "phone": format!("+57300555{index:04}"), "vehicle_id": vehicle["id"]});
                operator.post("/api/v1/drivers", &body).await?
            }
            (None, None) => bail!("{full} can log in but is no driver: start on a new folder"),
        };
        drivers.push(Driver { id: text(&driver, "id")?, session });
    }
    Ok(drivers)
}

async fn merchant(api: &Api, operator: &Session, backstage: &Backstage) -> Result<Session> {
    let password = backstage.password(MERCHANT);
    if let Ok(session) = api.login(MERCHANT, &password).await {
        return Ok(session);
    }
    let person = json!({"username": MERCHANT_USERNAME, "email": MERCHANT, "password": password, "given_name": "Camila", "family_name": "Rojas", "language": "es"});
    api.post_open("/api/v1/auth/register", &person).await?;
    let token = backstage.mailed_token(MERCHANT).await?;
    api.post_open("/api/v1/auth/verify", &json!({"token": token})).await?;
    let merchant = api.login(MERCHANT, &password).await?;
    let company = json!({
        "kind": "business", "legal_name": "Raíces Artesanías S.A.S.", "trade_name": "Raíces", "country": "CO",
        "document": {"type": "NIT", "number": "900373115-3"}, "size": "small", "currency": "COP", "time_zone": "America/Bogota", "language": "es",
    });
    let company = text(&merchant.post("/api/v1/companies", &company).await?, "id")?;
    merchant.renew().await?;
    merchant.post(&format!("/api/v1/companies/{company}/submit"), &json!({})).await?;
    operator.post(&format!("/api/v1/companies/{company}/approve"), &json!({})).await?;
    merchant.post(&format!("/api/v1/companies/{company}/kyc"), &json!({})).await?;
    operator
        .post(&format!("/api/v1/companies/{company}/kyc/decision"), &json!({"decision": "verified"}))
        .await?;
    merchant.renew().await?;
    Ok(merchant)
}

async fn own_area(operator: &Session) -> Result<Option<Value>> {
    let known = operator.get("/api/v1/service-areas?limit=100").await?;
    Ok(known["items"].as_array().and_then(|list| list.iter().find(|area| area["name"] == AREA)).cloned())
}

async fn service_area(operator: &Session) -> Result<()> {
    if own_area(operator).await?.is_some() {
        return Ok(());
    }
    let every_day: Vec<Value> =
        ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
            .map(|day| json!({"day": day, "opens": "06:00", "closes": "22:00"}))
            .to_vec();
    let area = json!({
        "name": AREA, "country": "CO", "time_zone": "America/Bogota", "polygon": BOGOTA, "hours": every_day,
        "slot_minutes": 120, "capacity_per_slot": SLOT_CAPACITY, "express": true, "currency": "COP",
        "fees": {
            "on_demand": cop(9_800), "scheduled": cop(6_500), "express": cop(14_900), "extra_kilogram": cop(900), "packaging": cop(3_500),
        },
    });
    operator.post("/api/v1/service-areas", &area).await?;
    Ok(())
}

async fn warehouses(merchant: &Session) -> Result<Vec<String>> {
    let known = merchant.get("/api/v1/warehouses?limit=100").await?;
    let mut ids = Vec::new();
    for (index, (name, street, postal_code, lat, lng)) in WAREHOUSES.into_iter().enumerate() {
        let found = known["items"]
            .as_array()
            .and_then(|list| list.iter().find(|warehouse| warehouse["name"] == name));
        let warehouse = match found {
            Some(warehouse) => warehouse.clone(),
            None => {
                let body = json!({
                    "name": name, "is_default": index == 0, "contact_phone": "+576015550100",
                    "address": {
                        "line1": street, "city": "Bogotá", "state": "Bogotá D.C.", "postal_code": postal_code, "country": "CO",
                        "location": {"lat": lat, "lng": lng},
                    },
                });
                merchant.post("/api/v1/warehouses", &body).await?
            }
        };
        ids.push(text(&warehouse, "id")?);
    }
    Ok(ids)
}

async fn catalogue(merchant: &Session, warehouses: &[String]) -> Result<Vec<Value>> {
    let mut products = Vec::new();
    for (sku, name, category, price, weight, [length, width, height], hs_code) in CATALOGUE {
        // By its SKU: an import may have made many more products than a page shows.
        let known = merchant.get(&format!("/api/v1/products?sku={sku}")).await?;
        if let Some(product) = known["items"].as_array().and_then(|list| list.first()) {
            products.push(product.clone());
            continue;
        }
        let body = json!({
            "sku": sku, "name": name, "category": category, "price": cop(price), "cost": cop(price * 55 / 100), "weight_grams": weight,
            "dimensions": {"length_mm": length, "width_mm": width, "height_mm": height}, "hs_code": hs_code, "country_of_origin": "CO",
            "reorder_point": 50, "reorder_quantity": 500, "lead_time_days": 10,
        });
        let product = merchant.post("/api/v1/products", &body).await?;
        for warehouse in warehouses {
            let receipt = json!({"kind": "receipt", "product_id": product["id"], "warehouse_id": warehouse, "quantity": OPENING_STOCK, "reference": "apertura"});
            merchant.post("/api/v1/inventory/movements", &receipt).await?;
        }
        products.push(product);
    }
    Ok(products)
}
