//! The platform's people of the demo: invited by the administrator, unless they are there already.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{
    api::{Api, Session},
    backstage::Backstage,
    story::text,
};
use crate::names::ascii;

pub struct Driver {
    pub id: String,
    pub session: Session,
}

const DRIVERS: [(&str, &str); 4] =
    [("Wilson", "Cárdenas"), ("Yaneth", "Bernal"), ("Jairo", "Peña"), ("Luz", "Quintero")];
const INVITATION: &str = "/api/v1/auth/invitations/accept";

/// Invites somebody and accepts for them; logs in when they have accepted before.
pub async fn invited(
    api: &Api,
    operator: &Session,
    backstage: &Backstage,
    (given, family): (&str, &str),
    role: &str,
) -> Result<Session> {
    let email = format!("{}.{}@quenty.example.com", ascii(given), ascii(family));
    let password = backstage.password(&email)?;
    if let Ok(session) = api.login(&email, &password).await {
        return Ok(session);
    }
    let body = json!({"email": email, "given_name": given, "family_name": family, "language": "es", "roles": [role]});
    operator
        .post("/api/v1/users", &body)
        .await
        .with_context(|| format!("{email} can neither log in nor be invited: start on a new folder"))?;
    backstage.follow_link(api, &email, INVITATION, json!({"password": password})).await?;
    api.login(&email, &password).await
}

pub async fn drivers(api: &Api, operator: &Session, backstage: &Backstage) -> Result<Vec<Driver>> {
    let known = operator.get("/api/v1/drivers?limit=100").await?;
    let mut drivers = Vec::new();
    for (index, name) in DRIVERS.into_iter().enumerate() {
        let session = invited(api, operator, backstage, name, "driver").await?;
        let user = text(&session.get("/api/v1/profile").await?, "id")?;
        let found = known["items"]
            .as_array()
            .and_then(|list| list.iter().find(|driver| driver["user_id"] == user.as_str()));
        let driver = match found {
            Some(driver) => driver.clone(),
            None => hire(operator, &user, name, index).await?,
        };
        drivers.push(Driver { id: text(&driver, "id")?, session });
    }
    Ok(drivers)
}

async fn hire(operator: &Session, user: &str, (given, family): (&str, &str), index: usize) -> Result<Value> {
    let van = json!({"kind": "van", "capacity_grams": 900_000, "capacity_cm3": 5_000_000});
    let van = operator.post("/api/v1/vehicles", &van).await?;
    let body = json!({
        "user_id": user, "name": format!("{given} {family}"), "phone": format!("+57300555{index:04}"), "vehicle_id": van["id"],
    });
    operator.post("/api/v1/drivers", &body).await
}
