//! Pictures of the goods: what the buyer shows, and what the inspection saw.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use quenty_files::{Files, ImageKind, Stored};
use quenty_kernel::{
    Actor, Failure, Kind, Scope,
    id::{PhotoId, ReturnId},
};
use quenty_platform::{
    App, Result,
    http::{Answer, Caller, Can, Json, Path, Query, Upload},
    tx::Cause,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{AddPhotos, ReadReturns, returns::find};
use crate::{
    Error,
    domain::goods_return::Return,
    store::{self, photos::Photo},
};

const MAX_BYTES: u64 = 10 << 20;
/// Of one return: enough for every side of every unit, and not a place to keep pictures.
const MAX_PHOTOS: usize = 50;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PhotoQuery {
    /// The line of the order that it shows, from 1.
    #[param(minimum = 1)]
    line: Option<u32>,
    /// The received unit of that line, from 1.
    #[param(minimum = 1)]
    unit: Option<u32>,
}

impl PhotoQuery {
    fn check(&self, of: &Return) -> Result<(), Failure> {
        let refuse = |pointer: &str, detail: &str| Err(Failure::invalid("INVALID_FIELD", pointer, detail));
        let knows = |line| of.request.lines.iter().any(|of| of.line == line);
        match (self.line, self.unit) {
            (None, Some(_)) => refuse("/line", "say of which line the unit is"),
            (Some(line), _) if !knows(line) => refuse("/line", "the return has no such line"),
            (Some(line), Some(unit)) if unit == 0 || unit > of.received_of(line) => {
                refuse("/unit", "no such unit was received")
            }
            _ => Ok(()),
        }
    }
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the form")]
pub(super) struct PhotoForm {
    /// JPEG, PNG or WebP, at most 10 MiB.
    #[schema(value_type = String, content_media_type = "application/octet-stream")]
    photo: (),
}

#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
struct Picture(());

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PhotoOut {
    id: PhotoId,
    line: Option<u32>,
    unit: Option<u32>,
    #[schema(example = "image/jpeg")]
    media_type: String,
    bytes: u64,
    #[schema(value_type = String)]
    added_by: Actor,
    created_at: Timestamp,
}

impl From<Photo> for PhotoOut {
    fn from(of: Photo) -> Self {
        Self {
            id: of.id,
            line: of.line,
            unit: of.unit,
            media_type: of.media_type,
            bytes: of.bytes,
            added_by: of.added_by,
            created_at: of.created_at,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PhotosOut {
    items: Vec<PhotoOut>,
}

fn key(of: ReturnId, id: PhotoId) -> String {
    format!("returns/{of}/{id}")
}

/// Add a picture of the goods. What kind it is shows in its first bytes, not in what its sender says.
#[utoipa::path(post, path = "/api/v1/returns/{id}/photos", operation_id = "add_return_photo", tag = "returns",
    params(("id" = ReturnId, Path), PhotoQuery), security(("bearer" = ["returns:add_photo"])),
    request_body(content = inline(PhotoForm), content_type = "multipart/form-data"),
    responses((status = 201, body = PhotoOut), (status = 409, description = "`TOO_MANY_PHOTOS`"),
        (status = 413, description = "`FILE_TOO_LARGE`"), (status = 415, description = "`NOT_A_PICTURE`")))]
pub(super) async fn add_return_photo(
    State(app): State<App>,
    caller: Can<AddPhotos>,
    Path(id): Path<ReturnId>,
    Query(query): Query<PhotoQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Answer> {
    let scope = caller.scope()?;
    let of = find(&app, scope, id).await?;
    query.check(&of)?;
    let mut upload = Upload::of_form(&headers, body, "photo", MAX_BYTES).await?;
    let kind = ImageKind::sniff(upload.head(ImageKind::HEAD).await?).ok_or_else(|| {
        Failure::new(
            Kind::UnsupportedMediaType,
            "NOT_A_PICTURE",
            "the file is neither JPEG nor PNG nor WebP; send one of these",
        )
    })?;
    let photo = PhotoId::new();
    let stored = app.part::<Files>()?.put(&key(id, photo), upload.pieces()).await?;
    let outcome = keep(&app, &caller, &of, (photo, kind), &query, stored).await;
    // Also when the key was answered before: then the first picture is the one. A file too many does no harm, a picture
    // without its file does.
    if outcome.is_err() && !is_on_record(&app, scope, id, photo).await.unwrap_or(true) {
        app.part::<Files>()?.delete(&key(id, photo)).await?;
    }
    outcome
}

async fn keep(
    app: &App,
    caller: &Caller,
    of: &Return,
    (id, kind): (PhotoId, ImageKind),
    query: &PhotoQuery,
    stored: Stored,
) -> Result<Answer> {
    let mut tx = app.begin(&caller.with_body_hash(stored.sha256)).await?;
    // Under the return's lock, so that no two are the last one.
    let scope = caller.scope()?;
    store::returns::lock(tx.conn(), scope, of.id).await?.ok_or(Error::NotFound("return"))?;
    if store::photos::list(&mut *tx.conn(), scope, of.id).await?.len() >= MAX_PHOTOS {
        let detail = format!("a return has at most {MAX_PHOTOS} photos");
        return Err(Failure::conflict("TOO_MANY_PHOTOS", detail).into());
    }
    let photo = Photo {
        id,
        line: query.line,
        unit: query.unit,
        media_type: kind.media_type().to_owned(),
        bytes: stored.bytes,
        added_by: tx.actor().clone(),
        created_at: tx.now(),
    };
    store::photos::insert(tx.conn(), of.company_id(), of.id, &photo, &stored.sha256).await?;
    let path = format!("/api/v1/returns/{}/photos/{id}", of.id);
    tx.answer(Answer::created(path, &PhotoOut::from(photo))?).await
}

/// Whether a picture whose keeping failed is on record: perhaps only the answer to the commit was lost.
async fn is_on_record(app: &App, scope: Scope, of: ReturnId, id: PhotoId) -> Result<bool> {
    let mut tx = app.begin_as(Cause::system()).await?;
    // A commit that is still under way has the return's lock.
    store::returns::lock(tx.conn(), scope, of).await?;
    Ok(store::photos::find(tx.conn(), scope, of, id).await?.is_some())
}

/// List the pictures of a return.
#[utoipa::path(get, path = "/api/v1/returns/{id}/photos", operation_id = "list_return_photos", tag = "returns",
    params(("id" = ReturnId, Path)), security(("bearer" = ["returns:read"])), responses((status = 200, body = PhotosOut)))]
pub(super) async fn list_return_photos(
    State(app): State<App>,
    caller: Can<ReadReturns>,
    Path(id): Path<ReturnId>,
) -> Result<Json<PhotosOut>> {
    let scope = caller.scope()?;
    find(&app, scope, id).await?;
    let photos = store::photos::list(app.db(), scope, id).await?;
    Ok(Json(PhotosOut { items: photos.into_iter().map(PhotoOut::from).collect() }))
}

/// Look at a picture.
#[utoipa::path(get, path = "/api/v1/returns/{id}/photos/{photo_id}", operation_id = "get_return_photo", tag = "returns",
    params(("id" = ReturnId, Path), ("photo_id" = PhotoId, Path)), security(("bearer" = ["returns:read"])),
    responses((status = 200, description = "The picture.",
        content((inline(Picture) = "image/jpeg"), (inline(Picture) = "image/png"), (inline(Picture) = "image/webp")))))]
pub(super) async fn get_return_photo(
    State(app): State<App>,
    caller: Can<ReadReturns>,
    Path((id, photo_id)): Path<(ReturnId, PhotoId)>,
) -> Result<Response> {
    let photo = store::photos::find(app.db(), caller.scope()?, id, photo_id).await?;
    let photo = photo.ok_or(Error::NotFound("photo"))?;
    let content = app.part::<Files>()?.get(&key(id, photo_id)).await?.ok_or(Error::NotFound("photo"))?;
    let headers = [
        (header::CONTENT_TYPE, photo.media_type),
        (header::CONTENT_LENGTH, content.bytes.to_string()),
        // A picture never runs as a page, whatever is in it.
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_DISPOSITION, "inline".to_owned()),
        (header::CACHE_CONTROL, "private, max-age=86400, immutable".to_owned()),
    ];
    Ok((headers, Body::from_stream(content.pieces)).into_response())
}
