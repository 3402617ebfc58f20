use std::{
    io,
    sync::{Arc, Mutex},
};

use crate::support::{
    ADMIN, ADMIN_PASSWORD, KEY, PASSWORD, access_token, login, mails_to, refresh, refresh_token,
    register_from, start, token_in,
};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_is_ever_logged() {
    let captured = Captured::default();
    let writer = captured.clone();
    // For the whole process: the logs of the other tests are looked through, too.
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
        .with_writer(move || writer.clone())
        .init();
    let app = start().await;
    register_from(&app, "203.0.113.1", "ana@example.com", None).await.expect(202);
    let link = token_in(&mails_to(&app, "ana@example.com").await[0]);
    let tokens = login(&app, ADMIN, ADMIN_PASSWORD).await.expect(200).json();
    let renewed = refresh(&app, &refresh_token(&tokens)).await.expect(200).json();
    login(&app, ADMIN, "a-wrong-password").await.expect(401);
    let logs = String::from_utf8_lossy(&captured.0.lock().unwrap()).into_owned();
    assert!(logs.contains("made a signing key"), "the logs are captured");
    let secrets = [link, access_token(&tokens), refresh_token(&tokens), refresh_token(&renewed)];
    let fixed = [PASSWORD, ADMIN_PASSWORD, KEY, "a-wrong-password", "order-secret"].map(str::to_owned);
    for secret in secrets.into_iter().chain(fixed) {
        assert!(!logs.contains(&secret), "a secret was logged");
    }
}
