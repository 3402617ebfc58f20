//! The platform's people of the demo, invited by the administrator, and the merchant's, invited by herself; unless
//! they are there already.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    api::{Api, Session, text},
    backstage::Backstage,
    shop,
};
use crate::names::ascii;

pub struct Driver {
    pub id: String,
    pub session: Session,
}

const DRIVERS: [(&str, &str); 4] =
    [("Wilson", "Cárdenas"), ("Yaneth", "Bernal"), ("Jairo", "Peña"), ("Luz", "Quintero")];
const JOIN_LIMIT: Duration = Duration::from_secs(60);
const JOIN_PAUSE: Duration = Duration::from_millis(500);
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
        .post("/api/v1/admin/users", &body)
        .await
        .with_context(|| format!("{email} can neither log in nor be invited: start on a new folder"))?;
    backstage.follow_link(api, &email, INVITATION, json!({"password": password})).await?;
    api.login(&email, &password).await
}

/// Invites somebody into the merchant's company and accepts for them.
pub async fn member(
    api: &Api,
    merchant: &Session,
    backstage: &Backstage,
    (given, family): (&str, &str),
    role: &str,
) -> Result<Session> {
    let email = format!("{}.{}@raices.example.com", ascii(given), ascii(family));
    let password = backstage.password(&email)?;
    let session = match api.login(&email, &password).await {
        Ok(session) => session,
        Err(_) => {
            invite_member(merchant, &email, (given, family), role).await?;
            backstage.follow_link(api, &email, INVITATION, json!({"password": password})).await?;
            api.login(&email, &password).await?
        }
    };
    may_work(&session, &email).await?;
    Ok(session)
}

async fn invite_member(
    merchant: &Session,
    email: &str,
    (given, family): (&str, &str),
    role: &str,
) -> Result<()> {
    let company = shop::own_company(merchant).await?.context("the merchant has a company")?;
    let path = format!("/api/v1/companies/{}/members", text(&company, "id")?);
    let known = merchant.get(&format!("{path}?limit=100")).await?;
    let is_invited = known["items"].as_array().is_some_and(|list| list.iter().any(|of| of["email"] == email));
    if !is_invited {
        let body = json!({"email": email, "role": role, "given_name": given, "family_name": family, "language": "es"});
        merchant.post(&path, &body).await?;
    }
    Ok(())
}

/// That somebody belongs to a company comes to Auth by events; their next token says it.
async fn may_work(session: &Session, email: &str) -> Result<()> {
    let deadline = Instant::now() + JOIN_LIMIT;
    while session.try_get("/api/v1/returns?limit=1").await?.is_err() {
        if Instant::now() > deadline {
            bail!("{email} does not belong to the merchant's company within {JOIN_LIMIT:?}");
        }
        tokio::time::sleep(JOIN_PAUSE).await;
        session.renew().await?;
    }
    Ok(())
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
