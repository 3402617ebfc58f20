//! Walks the gateway's merged document with real tokens: no operation answers a stranger, none does what the
//! token does not permit, and none shows or touches another tenant's things. A new route is covered on the day it is
//! born: one that this test does not know how to try makes it fail.

mod belongings;
mod bodies;

use quenty_testkit::{
    http::Answer,
    strangers::{Operation, operations},
};
use serde_json::{Value, json};

use self::{
    belongings::{Belongings, OF_NO_COMPANY},
    bodies::{body, query},
};
use crate::{
    deadlines::only_a_simulation_has_a_clock,
    harness::{Cast, Client, Merchant, Person, Stage, Up, merchant::BOGOTA},
};

/// Operations that are meant for anyone; the merged document calls Auth's own `accept_invitation` by its service.
const OPEN: [&str; 21] = [
    "register_user",
    "verify_user",
    "resend_verification",
    "auth_accept_invitation",
    "request_password_reset",
    "confirm_password_reset",
    "login",
    "verify_mfa",
    "ask_passkey",
    "verify_passkey",
    "ask_any_passkey",
    "login_with_passkey",
    "refresh",
    "issue_service_token",
    "introspect_token",
    "revoke_token",
    "get_jwks",
    "get_revocations",
    "track_shipment",
    "follow_shipment",
    "track_return",
];

async fn described(stage: &Stage) -> Vec<Operation> {
    let operations = operations(&stage.anyone().get("/openapi.json").await.expect(200).json());
    assert!(operations.len() > 80, "the document describes {} operations", operations.len());
    operations
}

#[tokio::test]
async fn no_operation_serves_who_has_no_token_or_lacks_its_permission() {
    let up = Up::ephemeral(&[]).await;
    let nobody = Person::register(&up.stage, "nobody@example.com").await;
    let anyone = up.stage.anyone();
    for operation in described(&up.stage).await {
        let Some(permission) = &operation.permission else {
            let is_meant = OPEN.contains(&operation.operation_id.as_str());
            assert!(is_meant, "{operation:?} needs no token: is that meant?");
            continue;
        };
        let path = &operation.example_path;
        send(&anyone, &operation, path, &json!({})).await.expect_problem(401, "NO_TOKEN");
        if !permission.is_empty() {
            let refused = send(&nobody.client, &operation, path, &json!({})).await;
            let refused = refused.expect_problem(403, "NOT_PERMITTED");
            assert_eq!(refused.json()["permission"], json!(permission), "{operation:?}");
        }
    }
    only_a_simulation_has_a_clock(&up.stage).await;
    up.stop().await;
}

/// Two merchants of one platform: the first owns one of everything, the second has the same permissions.
struct Tenants {
    operations: Vec<Operation>,
    first: Merchant,
    things: Belongings,
    second: Merchant,
    /// What the second has itself, where a path names two things.
    seconds: Belongings,
}

#[tokio::test]
async fn no_operation_reaches_another_tenants_things() {
    let up = Up::ephemeral(&[]).await;
    let Cast { merchant: first, fleet, support, .. } = Cast::enter(&up.stage).await;
    let second = Merchant::open(&up.stage, &support, 2, BOGOTA).await;
    let tenants = Tenants {
        operations: described(&up.stage).await,
        things: Belongings::of(&up.stage, &first, &fleet).await,
        first,
        seconds: Belongings::few_of(&up.stage, &second, &fleet).await,
        second,
    };
    let before = tenants.all_that_the_first_reads().await;
    tenants.nothing_is_reached_by_its_id().await;
    tenants.nothing_is_reached_through_own_things().await;
    tenants.no_list_shows_it().await;
    up.stage.settle().await;
    assert_eq!(tenants.all_that_the_first_reads().await, before, "nothing was touched");
    up.stage.assert_sound().await;
    up.stop().await;
}

impl Tenants {
    /// Operations on things that belong to somebody.
    fn on_things(&self) -> impl Iterator<Item = &Operation> {
        let is_nobodys = |path: &str| OF_NO_COMPANY.iter().any(|prefix| path.starts_with(prefix));
        self.operations
            .iter()
            .filter(move |operation| operation.has_path_id() && !is_nobodys(&operation.path))
    }

    async fn nothing_is_reached_by_its_id(&self) {
        for operation in self.on_things() {
            let path = self.things.fill(&operation.path);
            self.assert_hidden(operation, &path).await;
        }
    }

    /// A path through something of the second's own to something of the first.
    async fn nothing_is_reached_through_own_things(&self) {
        let mut tried = 0;
        for operation in self.on_things().filter(|operation| operation.path.matches('{').count() > 1) {
            let path = self.seconds.fill_first(&operation.path);
            self.assert_hidden(operation, &self.things.fill_rest(&operation.path, path)).await;
            tried += 1;
        }
        assert!(tried > 0, "no path names two things");
    }

    /// 404 where the token permits the operation, else 403; nothing in between.
    async fn assert_hidden(&self, operation: &Operation, path: &str) {
        let permission = operation.permission.as_deref().expect("no operation on somebody's things is open");
        let is_held = permission.is_empty() || holds(&self.second.client, permission);
        let body = if is_held && operation.has_body { body(operation, &self.things) } else { json!({}) };
        let hidden = send(&self.second.client, operation, path, &body).await;
        let expected = if is_held { (404, "NOT_FOUND") } else { (403, "NOT_PERMITTED") };
        let told = (hidden.status(), hidden.code());
        assert_eq!(
            told,
            (expected.0, expected.1.to_owned()),
            "{operation:?} {path} {body}: {}",
            hidden.text()
        );
    }

    /// Lists that the second may read, as they are and asked for the first's things by each filter.
    async fn no_list_shows_it(&self) {
        let mut shown = 0;
        for operation in self.lists() {
            let path = format!("{}?{}", operation.path, query(operation));
            let read = self.second.client.get(&path).await;
            assert_eq!(read.status(), 200, "{operation:?} {path}: {}", read.text());
            let seen = self.things.shown_in(&read.text());
            assert_eq!(seen, Vec::<&str>::new(), "{operation:?} shows another tenant's things");
            let own = self.first.client.get(&path).await.expect(200);
            shown += usize::from(!self.things.shown_in(&own.text()).is_empty());
            for (filter, value) in self.things.filters(&operation.query) {
                let read = self.second.client.get(&format!("{path}&{filter}={value}")).await;
                let is_empty = read.status() == 200 && read.json()["items"] == json!([]);
                assert!(is_empty || read.code() == "NOT_FOUND", "{operation:?} {filter}: {}", read.text());
            }
        }
        assert!(shown >= 10, "only {shown} lists show their owner anything");
    }

    /// Streams do not end: who hears them is told in the services' own tests.
    fn lists(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(|operation| {
            let is_permitted =
                |permission: &String| permission.is_empty() || holds(&self.second.client, permission);
            operation.method == http::Method::GET
                && !operation.has_path_id()
                && !operation.streams
                && operation.permission.as_ref().is_some_and(is_permitted)
        })
    }

    /// Every reading operation by id, as the owner: all of it is there.
    async fn all_that_the_first_reads(&self) -> Vec<(String, String)> {
        let mut read = Vec::new();
        for operation in self.on_things().filter(|operation| operation.method == http::Method::GET) {
            let permission = operation.permission.as_deref().unwrap_or_default();
            if !operation.streams && holds(&self.first.client, permission) {
                let path = self.things.fill(&operation.path);
                let answer = self.first.client.get(&path).await;
                assert_ne!(answer.status(), 404, "{path} is the merchant's own: {}", answer.text());
                read.push((path, answer.text()));
            }
        }
        read
    }
}

fn holds(client: &Client, permission: &str) -> bool {
    let resource = permission.split(':').next().unwrap_or_default();
    client.permissions().iter().any(|held| held == permission || *held == format!("{resource}:*"))
}

async fn send(client: &Client, operation: &Operation, path: &str, body: &Value) -> Answer {
    let mut path = path.to_owned();
    if !operation.required_query.is_empty() {
        path = format!("{path}?{}", query(operation));
    }
    let call = client.call(operation.method.clone(), &path);
    if operation.has_body { call.json(body).send().await } else { call.send().await }
}
