//! The body of OAuth's own operations: JSON or, as RFC 6749 has it, form-encoded.

use axum::{
    Form,
    extract::{FromRequest, Request},
    http::{HeaderValue, header},
};
use quenty_kernel::{Failure, Kind};
use quenty_platform::{
    App, Error, Result,
    http::{Json, media_type},
};
use serde::de::DeserializeOwned;

const FORM: &str = "application/x-www-form-urlencoded";

pub(super) struct JsonOrForm<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequest<App> for JsonOrForm<T> {
    type Rejection = Error;

    async fn from_request(mut request: Request, app: &App) -> Result<Self> {
        if media_type(request.headers()) == FORM {
            // axum knows it in lower case only.
            request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(FORM));
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
