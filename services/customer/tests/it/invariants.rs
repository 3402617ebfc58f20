use quenty_kernel::id::CompanyId;
use quenty_platform::operate;
use quenty_testkit::TestApp;
use serde_json::json;

use crate::support::{act, active, owner, registered, start};

async fn broken(app: &TestApp) -> Vec<&'static str> {
    let mut broken = Vec::new();
    for invariant in app.app.service().invariants {
        if operate::violations(app.app.db(), invariant).await.unwrap() > 0 {
            broken.push(invariant.name);
        }
    }
    broken
}

#[tokio::test]
async fn what_is_always_true_holds_and_is_seen_when_it_breaks() {
    let app = start().await;
    let company = active(&app).await;
    act(&app, &owner(&app, company), company, "kyc").await.expect(200);
    registered(&app).await;
    let address = json!({"address": {"line1": "Calle 26", "city": "Bogotá", "country": "CO"}});
    let customer = json!({"kind": "individual", "name": "Ana", "addresses": [address, address]});
    app.post("/api/v1/customers")
        .token(&owner(&app, CompanyId::new()))
        .json(&customer)
        .send()
        .await
        .expect(201);
    assert_eq!(broken(&app).await, Vec::<&str>::new());
    for sabotage in [
        "update members set role = 'viewer'",
        "update companies set version = version + 1",
        "update customers set addresses = jsonb_set(addresses, '{1,default_shipping}', 'true')",
    ] {
        sqlx::query(sabotage).execute(app.app.db()).await.unwrap();
    }
    assert_eq!(
        broken(&app).await,
        ["companies_have_an_owner", "standing_counts_facts", "customers_have_default_addresses"]
    );
}
