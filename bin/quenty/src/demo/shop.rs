//! The merchant of the demo: registers, is approved, has warehouses and full shelves. Each step looks first
//! whether it was done before.

use anyhow::Result;
use serde_json::{Value, json};

use super::{
    api::{Api, Session, text},
    backstage::Backstage,
    cast::cop,
    world::{CATALOGUE, Good, Store, WAREHOUSES},
};

const MERCHANT: &str = "camila.rojas@raices.example.com";
const MERCHANT_USERNAME: &str = "camila.rojas";
/// Enough of everything for any week.
const OPENING_STOCK: u32 = 5_000;

pub async fn merchant(api: &Api, operator: &Session, backstage: &Backstage) -> Result<Session> {
    let password = backstage.password(MERCHANT)?;
    let merchant = match api.login(MERCHANT, &password).await {
        Ok(merchant) => merchant,
        Err(_) => register(api, backstage, &password).await?,
    };
    let company = match own_company(&merchant).await? {
        Some(company) => company,
        None => found_company(&merchant).await?,
    };
    admit(&merchant, operator, &company).await?;
    Ok(merchant)
}

async fn register(api: &Api, backstage: &Backstage, password: &str) -> Result<Session> {
    let person = json!({
        "username": MERCHANT_USERNAME, "email": MERCHANT, "password": password, "given_name": "Camila", "family_name": "Rojas", "language": "es",
    });
    let registered = api.try_post_open("/api/v1/auth/register", &person).await?;
    // Who registered before has the mail already; everything else comes to light when no link works.
    if let Err(refused) = registered.as_ref().map_err(|refused| &refused.detail) {
        tracing::info!(detail = refused, "not registered");
    }
    backstage.follow_link(api, MERCHANT, "/api/v1/auth/verify", json!({"password": password})).await?;
    api.login(MERCHANT, password).await
}

pub(super) async fn own_company(merchant: &Session) -> Result<Option<Value>> {
    let companies = merchant.try_get("/api/v1/companies").await?;
    Ok(companies.ok().and_then(|list| list["items"].as_array()?.first().cloned()))
}

async fn found_company(merchant: &Session) -> Result<Value> {
    let company = json!({
        "kind": "business", "legal_name": "Raíces Artesanías S.A.S.", "trade_name": "Raíces", "country": "CO",
        "document": {"type": "NIT", "number": "900373115-3"}, "size": "small", "currency": "COP", "time_zone": "America/Bogota", "language": "es",
    });
    let company = merchant.post("/api/v1/companies", &company).await?;
    merchant.speak_for(&text(&company, "id")?).await?;
    Ok(company)
}

/// Through the review, and through the proof of who they are.
async fn admit(merchant: &Session, operator: &Session, company: &Value) -> Result<()> {
    let path = format!("/api/v1/companies/{}", text(company, "id")?);
    let (status, kyc) = (text(company, "status")?, text(company, "kyc")?);
    if matches!(status.as_str(), "registered" | "documents_pending") {
        merchant.post(&format!("{path}/submit"), &json!({})).await?;
    }
    if status != "active" {
        operator.post(&format!("{path}/approve"), &json!({})).await?;
    }
    if !matches!(kyc.as_str(), "pending" | "verified") {
        merchant.post(&format!("{path}/kyc"), &json!({})).await?;
    }
    if kyc != "verified" {
        operator.post(&format!("{path}/kyc/decision"), &json!({"decision": "verified"})).await?;
    }
    merchant.renew().await
}

pub async fn warehouses(merchant: &Session) -> Result<Vec<String>> {
    let known = merchant.get("/api/v1/warehouses?limit=100").await?;
    let mut ids = Vec::new();
    for (index, store) in WAREHOUSES.iter().enumerate() {
        let found = known["items"]
            .as_array()
            .and_then(|list| list.iter().find(|warehouse| warehouse["name"] == store.name));
        let warehouse = match found {
            Some(warehouse) => warehouse.clone(),
            None => merchant.post("/api/v1/warehouses", &warehouse(store, index == 0)).await?,
        };
        ids.push(text(&warehouse, "id")?);
    }
    Ok(ids)
}

fn warehouse(store: &Store, is_default: bool) -> Value {
    json!({
        "name": store.name, "is_default": is_default, "contact_phone": "+576015550100",
        "address": {
            "line1": store.street, "city": "Bogotá", "state": "Bogotá D.C.", "postal_code": store.postal_code, "country": "CO",
            "location": {"lat": store.lat, "lng": store.lng},
        },
    })
}

pub async fn catalogue(merchant: &Session, warehouses: &[String]) -> Result<Vec<Value>> {
    let mut products = Vec::new();
    for good in &CATALOGUE {
        // By its SKU: an import may have made many more products than a page shows.
        let known = merchant.get(&format!("/api/v1/products?sku={}", good.sku)).await?;
        let product = match known["items"].as_array().and_then(|list| list.first()) {
            Some(product) => product.clone(),
            None => merchant.post("/api/v1/products", &product(good)).await?,
        };
        fill_shelves(merchant, warehouses, &text(&product, "id")?).await?;
        products.push(product);
    }
    Ok(products)
}

async fn fill_shelves(merchant: &Session, warehouses: &[String], product: &str) -> Result<()> {
    for warehouse in warehouses {
        let path = format!(
            "/api/v1/inventory/movements?product={product}&warehouse={warehouse}&kind=receipt&limit=1"
        );
        let filled = merchant.get(&path).await?["items"].as_array().is_some_and(|list| !list.is_empty());
        if !filled {
            let receipt = json!({
                "kind": "receipt", "product_id": product, "warehouse_id": warehouse, "quantity": OPENING_STOCK, "reference": "apertura",
            });
            merchant.post("/api/v1/inventory/movements", &receipt).await?;
        }
    }
    Ok(())
}

fn product(good: &Good) -> Value {
    let [length, width, height] = good.size_mm;
    json!({
        "sku": good.sku, "name": good.name, "category": good.category, "price": cop(good.price_cop), "cost": cop(good.price_cop * 55 / 100),
        "weight_grams": good.weight_grams, "dimensions": {"length_mm": length, "width_mm": width, "height_mm": height},
        "hs_code": good.hs_code, "country_of_origin": "CO", "reorder_point": 50, "reorder_quantity": 500, "lead_time_days": 10,
    })
}
