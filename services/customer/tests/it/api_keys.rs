use quenty_kernel::id::{ApiKeyId, CompanyId, MemberId, UserId};
use quenty_platform::token::{Claims, Realm};
use quenty_testkit::keys;
use serde_json::json;

use crate::support::{company_body, hear_registered, members, new_nit, registered_by, start};

#[tokio::test]
async fn a_key_does_nothing_in_its_owners_name_beyond_its_scopes() {
    let app = start().await;
    let owner = UserId::new();
    hear_registered(&app, owner, "ana@example.com").await;
    let of_key = keys::sign(&Claims {
        client_id: ApiKeyId::new().to_string(),
        ..keys::claims(Realm::Company, owner, Some(CompanyId::new()), &["orders:read"])
    });
    let accept = format!("/api/v1/invitations/{}/accept", MemberId::new());
    let of_service = keys::service_token("order", &["internal.companies:read"]);
    for (token, code) in [(&of_key, "NO_SESSION"), (&of_service, "NOT_A_PERSON")] {
        let invitations = app.get("/api/v1/profile/invitations").token(token);
        invitations.send().await.expect_problem(403, code);
        app.post(&accept).token(token).send().await.expect_problem(403, code);
        let register = app.post("/api/v1/companies").token(token).json(&company_body(&new_nit()));
        register.send().await.expect_problem(403, code);
        // What is the same for all tells nothing of anybody.
        app.get("/api/v1/document-types").token(token).send().await.expect(200);
        let number = json!({"number": "860034313-7"});
        let validate = app.post("/api/v1/document-types/NIT/validate?country=CO").token(token);
        validate.json(&number).send().await.expect(200);
    }
}

#[tokio::test]
async fn a_stolen_key_makes_nobody_an_owner_and_throws_nobody_out() {
    let app = start().await;
    let founder = UserId::new();
    let company = registered_by(&app, founder).await;
    let of_key = keys::sign(&Claims {
        client_id: ApiKeyId::new().to_string(),
        ..keys::claims(Realm::Company, founder, Some(company), &["members:*"])
    });
    let before = members(&app, company).await;
    let path = format!("/api/v1/companies/{company}/members");
    let member = format!("{path}/{}", before[0]["id"].as_str().unwrap());
    let eve = json!({"email": "eve@example.com", "role": "owner", "given_name": "Eve", "family_name": "Ruiz", "language": "es"});
    for call in
        [app.post(&path).json(&eve), app.patch(&member).json(&json!({"role": "viewer"})), app.delete(&member)]
    {
        call.token(&of_key).send().await.expect_problem(403, "NO_SESSION");
    }
    app.get(&path).token(&of_key).send().await.expect(200);
    assert_eq!(members(&app, company).await, before);
}
