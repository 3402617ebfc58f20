//! A service that keeps photos, and does nothing else.

use std::{path::PathBuf, sync::LazyLock};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use quenty_files::{Files, ImageKind, SETTINGS};
use quenty_kernel::{Failure, Kind, id::CompanyId};
use quenty_platform::{
    App, Result, Service,
    app::Parts,
    http::{Answer, Can, Path, Upload},
    token::Realm,
};
use quenty_testkit::{TestApp, TestOptions, http::Call};
use serde_json::json;
use sqlx::migrate::Migrator;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub const LIMIT: u64 = 12 << 20;
static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| Migrator::with_migrations(Vec::new()));

quenty_platform::permissions! {
    KeepPhotos = "photos:write";
}

/// The service, and the folder in which it keeps its photos.
pub struct Album {
    pub app: TestApp,
    pub token: String,
    pub folder: PathBuf,
    _scratch: tempfile::TempDir,
}

impl Album {
    pub async fn open() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("kept photos");
        let settings = vec![("files_url", format!("file://{}", folder.display()))];
        let app = TestApp::start_with(service(), TestOptions { settings, ..TestOptions::default() }).await;
        let token = app.token(Realm::Company, Some(CompanyId::new()), &["photos:write"]);
        Self { app, token, folder, _scratch: scratch }
    }

    pub fn put(&self, key: &str, form: impl Into<Bytes>) -> Call {
        let call = self.app.post(&format!("/api/v1/photos/{key}")).token(&self.token);
        call.raw("multipart/form-data; boundary=x", form)
    }

    pub fn remove(&self, key: &str) -> Call {
        self.app.delete(&format!("/api/v1/photos/{key}")).token(&self.token)
    }

    pub fn get(&self, key: &str) -> Call {
        self.app.get(&format!("/api/v1/photos/{key}")).token(&self.token)
    }
}

pub fn service() -> Service {
    let service = Service {
        name: "album",
        about: "Keeps photos.",
        port: 0,
        database: "album",
        migrations: &MIGRATIONS,
        routes: || OpenApiRouter::new().routes(routes!(get_photo, keep_photo, remove_photo)),
        settings: SETTINGS,
        reactions: Vec::new(),
        tasks: Vec::new(),
        jobs: Vec::new(),
        init: None,
        invariants: &[],
    };
    service.init(async |_, settings, _| Ok(Parts::default().with(Files::from_settings(&settings)?)))
}

/// A form with one file.
#[derive(ToSchema)]
#[expect(dead_code, reason = "tells OpenAPI what a form holds")]
struct PhotoForm {
    /// JPEG, PNG or WebP.
    #[schema(value_type = String, content_media_type = "application/octet-stream")]
    photo: (),
}

/// Keep a photo.
#[utoipa::path(post, path = "/api/v1/photos/{key}", operation_id = "keep_photo",
    params(("key" = String, Path)), request_body(content = inline(PhotoForm), content_type = "multipart/form-data"),
    security(("bearer" = ["photos:write"])),
    responses((status = 201), (status = 413, description = "`FILE_TOO_LARGE`"), (status = 415, description = "`NO_PICTURE`")))]
async fn keep_photo(
    State(app): State<App>,
    _caller: Can<KeepPhotos>,
    Path(key): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Answer> {
    let mut upload = Upload::of_form(&headers, body, "photo", LIMIT).await?;
    let kind = ImageKind::sniff(upload.head(ImageKind::HEAD).await?)
        .ok_or_else(|| Failure::new(Kind::UnsupportedMediaType, "NO_PICTURE", "send JPEG, PNG or WebP"))?;
    let stored = app.part::<Files>()?.put(&key, upload.pieces()).await?;
    assert_eq!((stored.bytes, stored.sha256), (upload.bytes(), upload.digest()));
    let digest: String = stored.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    Answer::created(
        format!("/api/v1/photos/{key}"),
        &json!({"bytes": stored.bytes, "sha256": digest, "media_type": kind.media_type()}),
    )
}

/// Show a photo.
#[utoipa::path(get, path = "/api/v1/photos/{key}", operation_id = "get_photo",
    params(("key" = String, Path)), security(("bearer" = ["photos:write"])),
    responses((status = 200, content_type = "image/jpeg")))]
async fn get_photo(
    State(app): State<App>,
    _caller: Can<KeepPhotos>,
    Path(key): Path<String>,
) -> Result<Response> {
    let photo = app.part::<Files>()?.get(&key).await?.ok_or_else(|| Failure::not_found("photo"))?;
    let length = [(header::CONTENT_LENGTH, photo.bytes)];
    Ok((length, Body::from_stream(photo.pieces)).into_response())
}

/// Remove a photo.
#[utoipa::path(delete, path = "/api/v1/photos/{key}", operation_id = "remove_photo",
    params(("key" = String, Path)), security(("bearer" = ["photos:write"])), responses((status = 204)))]
async fn remove_photo(
    State(app): State<App>,
    _caller: Can<KeepPhotos>,
    Path(key): Path<String>,
) -> Result<Answer> {
    app.part::<Files>()?.delete(&key).await?;
    Ok(Answer::no_content())
}
