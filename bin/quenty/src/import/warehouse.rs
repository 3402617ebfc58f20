//! Whether somebody can collect where the orders will start: asked before anything is sent, since orders that
//! nobody can collect would only be held.

use anyhow::{Result, anyhow, bail};
use serde_json::Value;

use crate::demo::{api::Session, text};

pub(super) async fn check(session: &Session) -> Result<()> {
    let warehouses = session.get("/api/v1/warehouses?limit=100").await?;
    let default = warehouses["items"]
        .as_array()
        .and_then(|list| list.iter().find(|warehouse| warehouse["is_default"] == true));
    let Some(warehouse) = default else {
        bail!(
            "the company has no warehouse, and orders start from one: make it first (POST /api/v1/warehouses)"
        );
    };
    match session.try_get(&format!("/api/v1/service-areas/locate?{}", query(&warehouse["address"]))).await? {
        Ok(_) => Ok(()),
        Err(refused) if refused.status == 404 => bail!(
            "nobody collects at the default warehouse {} ({}): every order would be held. Make a warehouse inside a service area the default \
             (GET /api/v1/service-areas, PATCH /api/v1/warehouses/{{id}}), or ask the operator for an area there",
            warehouse["name"],
            warehouse["address"]["city"]
        ),
        Err(refused) => Err(anyhow!(
            "the service area of the default warehouse: {} {} {}",
            refused.status,
            refused.code,
            refused.detail
        )),
    }
}

/// The warehouse's place as a query.
fn query(address: &Value) -> String {
    let mut parts = Vec::new();
    for name in ["country", "postal_code"] {
        if let Ok(value) = text(address, name) {
            parts.push(format!("{name}={}", percent_encode(&value)));
        }
    }
    if let (Some(lat), Some(lng)) = (address["location"]["lat"].as_f64(), address["location"]["lng"].as_f64())
    {
        parts.push(format!("lat={lat}&lng={lng}"));
    }
    parts.join("&")
}

fn percent_encode(text: &str) -> String {
    let encode = |byte: u8| {
        if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_place_is_a_query_that_every_server_reads() {
        let address =
            json!({"country": "CO", "postal_code": "11 02&1", "location": {"lat": 4.6, "lng": -74.0}});
        assert_eq!(query(&address), "country=CO&postal_code=11%2002%261&lat=4.6&lng=-74");
    }
}
