//! The people of the demo and what they need before the week begins. Everything through the public API; links
//! come from the mails.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{
    api::{Api, Session, text},
    backstage::Backstage,
    people::{Driver, drivers, invited, member},
    plan::PlannedOrder,
    shop,
    world::{AREAS, Area},
};

/// Everybody, logged in.
pub struct Cast {
    pub operator: Session,
    pub dispatcher: Session,
    pub merchant: Session,
    pub drivers: Vec<Driver>,
    /// Receives and inspects in the merchant's warehouse, and decides what becomes of the goods.
    pub clerk: Session,
    /// Pays the merchant's buyers.
    pub finance: Session,
    products: Vec<Value>,
}

const SLOT_CAPACITY: u32 = 60;
const ROOM_FOR_IMPORTS: u64 = 10_000;

impl Cast {
    /// Assembles the cast, or finds it again on a platform where it has played before, however far it came.
    pub async fn assemble(backstage: &Backstage) -> Result<Self> {
        let api = Api::new(&backstage.url);
        let operator = api
            .login(&backstage.admin_login, &backstage.admin_password)
            .await
            .context("the administrator cannot log in")?;
        let dispatcher = invited(&api, &operator, backstage, ("Patricia", "Vargas"), "dispatcher").await?;
        let drivers = drivers(&api, &operator, backstage).await?;
        let merchant = shop::merchant(&api, &operator, backstage).await?;
        service_areas(&operator).await?;
        let warehouses = shop::warehouses(&merchant).await?;
        let products = shop::catalogue(&merchant, &warehouses).await?;
        let clerk = member(&api, &merchant, backstage, ("Marta", "Suárez"), "warehouse").await?;
        let finance = member(&api, &merchant, backstage, ("Hernán", "Ospina"), "finance").await?;
        Ok(Self { operator, dispatcher, merchant, drivers, clerk, finance, products })
    }

    /// The driver whose turn it is, as an index; the same order always has the same one.
    pub fn turn(&self, order: usize) -> usize {
        order % self.drivers.len()
    }

    /// Makes room for a file of orders: the drivers take as many a slot as the platform allows.
    pub async fn make_room(&self) -> Result<()> {
        for area in own_areas(&self.operator).await? {
            if area["capacity_per_slot"].as_u64() < Some(ROOM_FOR_IMPORTS) {
                let path = format!("/api/v1/service-areas/{}", text(&area, "id")?);
                self.operator.patch(&path, &json!({"capacity_per_slot": ROOM_FOR_IMPORTS})).await?;
            }
        }
        Ok(())
    }

    /// What the merchant sends to place a planned order; `now` asks for an on-demand pickup.
    pub fn order(&self, order: &PlannedOrder, now: bool) -> Value {
        let place = &order.place;
        let lines: Vec<Value> = order.lines.iter().map(|(product, quantity)| json!({"product_id": self.products[*product]["id"], "quantity": quantity})).collect();
        let mut body = json!({
            "external_reference": order.reference,
            "kind": if order.international { "international" } else if order.express { "express" } else { "standard" },
            "payment_method": if order.cash_on_delivery { "cash_on_delivery" } else { "prepaid" },
            "lines": lines,
            "consignee": {
                "name": order.name, "phone": order.phone, "email": order.email,
                "address": {
                    "line1": order.street, "city": place.city, "state": place.state, "postal_code": place.postal_code,
                    "country": place.country, "location": {"lat": place.lat, "lng": place.lng},
                },
            },
        });
        if now && !order.express {
            body["pickup"] = json!({"kind": "on_demand"});
        }
        body
    }
}

pub(super) fn cop(amount: u32) -> Value {
    json!({"amount": format!("{amount}.00"), "currency": "COP"})
}

async fn own_areas(operator: &Session) -> Result<Vec<Value>> {
    let known = operator.get("/api/v1/service-areas?limit=100").await?;
    let is_own = |area: &&Value| AREAS.iter().any(|own| area["name"] == own.name);
    Ok(known["items"].as_array().context("a list of areas")?.iter().filter(is_own).cloned().collect())
}

async fn service_areas(operator: &Session) -> Result<()> {
    let known = own_areas(operator).await?;
    for area in &AREAS {
        if known.iter().all(|known| known["name"] != area.name) {
            operator.post("/api/v1/service-areas", &definition(area)).await?;
        }
    }
    Ok(())
}

fn definition(area: &Area) -> Value {
    let every_day = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
        .map(|day| json!({"day": day, "opens": "06:00", "closes": "22:00"}));
    json!({
        "name": area.name, "country": "CO", "time_zone": "America/Bogota", "polygon": area.polygon, "hours": every_day,
        "slot_minutes": 120, "capacity_per_slot": SLOT_CAPACITY, "express": true, "currency": "COP",
        "fees": {
            "on_demand": cop(9_800), "scheduled": cop(6_500), "express": cop(14_900), "extra_kilogram": cop(900), "packaging": cop(3_500),
        },
    })
}
