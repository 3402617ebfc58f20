//! People of a platform: who logs in, who is invited, who accepts. Links come from the mail folder.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Client, Stage, until};

/// Strong enough for zxcvbn, and nobody's name.
pub const PASSWORD: &str = "once-cordilleras-tibias-73";
const MAIL_LIMIT: Duration = Duration::from_secs(30);

/// Someone who is logged in.
#[derive(Clone)]
pub struct Person {
    pub client: Client,
    pub user_id: String,
}

/// Someone who has mail.
pub struct Invited {
    email: String,
}

impl Person {
    pub async fn log_in(stage: &Stage, email: &str, password: &str) -> Self {
        let anyone = stage.anyone();
        let body = json!({"username_or_email": email, "password": password});
        let tokens = anyone.post("/api/v1/auth/login", &body).await.expect(200).json();
        let user_id = tokens["user_id"].as_str().expect("a user").to_owned();
        Self { client: anyone.with_token(access_token(&tokens)), user_id }
    }

    pub async fn administrator(stage: &Stage) -> Self {
        Self::log_in(stage, &stage.admin_email, &stage.admin_password).await
    }

    /// Registers someone new, and follows the link in the mail, with the password.
    pub async fn register(stage: &Stage, email: &str) -> Self {
        let body = json!({"email": email, "given_name": "Ana", "family_name": "Gómez", "password": PASSWORD});
        let anyone = stage.anyone();
        anyone.post("/api/v1/auth/register", &body).await.expect(202);
        let token = mailed_token(stage, "verification", email).await;
        let proof = json!({"token": token, "password": PASSWORD});
        anyone.post("/api/v1/auth/verify", &proof).await.expect(204);
        Self::log_in(stage, email, PASSWORD).await
    }

    /// Asks someone to work for the platform.
    pub async fn invite(&self, role: &str, email: &str) -> Invited {
        let body = json!({"email": email, "given_name": "Inés", "family_name": "Rojas", "language": "es-CO", "roles": [role]});
        self.client.post("/api/v1/admin/users", &body).await.expect(201);
        Invited { email: email.to_owned() }
    }

    /// The same person speaking for one of their companies.
    pub async fn switch_company(&self, company: &str) -> Self {
        let body = json!({"company_id": company});
        let tokens = self.client.post("/api/v1/auth/switch-company", &body).await.expect(200).json();
        Self { client: self.client.with_token(access_token(&tokens)), user_id: self.user_id.clone() }
    }

    /// The same person on a platform under fire.
    #[must_use]
    pub fn patient(&self, patience: Duration) -> Self {
        Self { client: self.client.patient(patience), ..self.clone() }
    }

    pub fn permissions(&self) -> Vec<String> {
        self.client.permissions()
    }
}

impl Invited {
    /// Waits for the mail. A process that is killed while it writes one has it written a minute later, by another.
    pub async fn is_mailed(&self, stage: &Stage) {
        mailed_token(stage, "invitation", &self.email).await;
    }

    /// Follows the link in the mail, chooses a password and logs in.
    pub async fn accept(self, stage: &Stage) -> Person {
        let token = mailed_token(stage, "invitation", &self.email).await;
        let body = json!({"token": token, "password": PASSWORD});
        stage.anyone().post("/api/v1/auth/invitations/accept", &body).await.expect(204);
        Person::log_in(stage, &self.email, PASSWORD).await
    }
}

fn access_token(tokens: &Value) -> &str {
    tokens["access_token"].as_str().expect("an access token")
}

/// Waits for a mail of this kind and takes the secret out of its link.
async fn mailed_token(stage: &Stage, kind: &str, to: &str) -> String {
    let what = format!("the mail of {kind} to {to}");
    let mail = until(MAIL_LIMIT, &what, async || {
        let files = std::fs::read_dir(&stage.mail_dir).expect("the mail folder").flatten();
        let complete = files.filter(|file| file.path().extension().is_some_and(|ending| ending == "json"));
        let mut mails =
            complete.filter_map(|file| serde_json::from_slice(&std::fs::read(file.path()).ok()?).ok());
        mails.find(|mail: &Value| mail["kind"] == kind && mail["to"] == to)
    })
    .await;
    let link = mail["link"].as_str().expect("a link");
    link.split_once("token=").expect("a token in the link").1.to_owned()
}
