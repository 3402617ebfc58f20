//! The body of OAuth's own operations: JSON or, as RFC 6749 has it, form-encoded.

use axum::{
    Form,
    extract::{FromRequest, Request},
    http::header,
};
use quenty_kernel::{Failure, Kind};
use quenty_platform::{App, Error, Result, http::Json};
use serde::de::DeserializeOwned;

pub(super) struct JsonOrForm<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequest<App> for JsonOrForm<T> {
    type Rejection = Error;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        let kind = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if kind.starts_with("application/x-www-form-urlencoded") {
            let form = Form::from_request(request, app).await;
            return form.map(|Form(body)| Self(body)).map_err(|e| {
                Failure::new(Kind::Malformed, "MALFORMED_FORM", e.body_text())
                    .with("error", "invalid_request")
                    .into()
            });
        }
        Json::from_request(request, app).await.map(|Json(body)| Self(body))
    }
}
