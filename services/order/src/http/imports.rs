//! Bringing in orders from elsewhere: a file goes in as it is, and a report comes out.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use quenty_kernel::{Failure, Kind, Scope, id::ImportId};
use quenty_platform::{
    App, Result,
    http::{Answer, Caller, Can, Json, Path, Query, Upload, media_type},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ImportOrders as MayImportOrders;
use crate::{
    domain::import::{ImportOptions, escape_cell},
    store::imports::{self, Progress},
    tasks::{IMPORT_TASK, ImportOrders},
};

const PART_BYTES: usize = 256 << 10;
const ERRORS_A_READ: i64 = 1_000;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ImportQuery {
    /// `assume`: an opening receipt covers what is short; otherwise such orders are backordered
    #[param(inline)]
    stock: Option<StockPolicy>,
    /// Check and report, and change nothing
    #[serde(default)]
    dry_run: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum StockPolicy {
    Assume,
    Backorder,
}

/// How far an import has come, and what it assumed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ImportOut {
    id: ImportId,
    #[schema(example = "running")]
    status: String,
    dry_run: bool,
    bytes: i64,
    /// Orders read so far.
    read: i64,
    created: i64,
    /// Orders whose reference the company knows: the same file twice makes nothing twice.
    already_there: i64,
    rejected: i64,
    /// How often each assumption was made.
    #[schema(value_type = Object, example = json!({"product_estimated": 12, "payment_recorded": 40}))]
    assumed: serde_json::Value,
    /// Why the file as a whole could not be read.
    failure: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Progress> for ImportOut {
    fn from(progress: Progress) -> Self {
        Self {
            id: progress.id,
            status: progress.status,
            dry_run: progress.options.dry_run,
            bytes: progress.bytes,
            read: progress.processed,
            created: progress.created,
            already_there: progress.already_there,
            rejected: progress.rejected,
            assumed: progress.assumed,
            failure: progress.failure,
            created_at: progress.created_at,
            updated_at: progress.updated_at,
        }
    }
}

/// Import orders from a shop's export (Shopify's order CSV as it is).
///
/// An `Idempotency-Key` stands for the file: sent again, the first answer comes again, and nothing is imported twice.
#[utoipa::path(post, path = "/api/v1/orders/import", operation_id = "import_orders", tag = "orders",
    params(ImportQuery), request_body(content = String, content_type = "text/csv"), security(("bearer" = ["orders:import"])),
    responses((status = 202, body = ImportOut, description = "the work goes on; `Location` tells how far it is"), (status = 413, description = "`FILE_TOO_LARGE`"),
        (status = 422, description = "`EMPTY_FILE`, `INVALID_QUERY`")))]
pub(super) async fn import_orders(
    State(app): State<App>,
    caller: Can<MayImportOrders>,
    Query(query): Query<ImportQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Answer> {
    if media_type(&headers) != "text/csv" {
        let detail = "send the shop's export itself as the body, with Content-Type: text/csv";
        return Err(Failure::new(Kind::UnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", detail).into());
    }
    let options = ImportOptions {
        company_id: caller.company()?,
        dry_run: query.dry_run,
        assume_stock: query.stock == Some(StockPolicy::Assume),
    };
    let upload = Upload::new(
        body,
        app.settings().parse("import_max_bytes").map_err(quenty_platform::Error::internal)?,
    )?;
    let id = ImportId::new();
    imports::insert(app.db(), id, options, &caller.actor().to_string(), app.clock().now()).await?;
    let outcome = receive(&app, &caller, id, upload).await;
    if outcome.is_err() {
        // Also when the key was answered before: then the first upload is the import.
        imports::forget_upload(app.db(), id).await?;
    }
    outcome
}

async fn receive(app: &App, caller: &Caller, id: ImportId, mut upload: Upload) -> Result<Answer> {
    keep(app, id, &mut upload).await?;
    if upload.bytes() == 0 {
        let detail = "there is nothing in the body; send the shop's export, as text/csv";
        return Err(Failure::new(Kind::Invalid, "EMPTY_FILE", detail).into());
    }
    let (scope, bytes) = (caller.scope()?, upload.bytes().cast_signed());
    let mut tx = app.begin(&caller.with_body_hash(upload.digest())).await?;
    let now = tx.now();
    imports::start(tx.conn(), id, bytes, now).await?;
    tx.enqueue(IMPORT_TASK, id.to_string(), caller.company().ok(), &ImportOrders { import_id: id, from: 0 })?;
    let progress = imports::find(tx.conn(), scope, id).await?.ok_or_else(|| Failure::not_found("import"))?;
    tx.answer(Answer::accepted(format!("/api/v1/imports/{id}"), &ImportOut::from(progress))?).await
}

/// Streams the file into the database piece by piece, in short statements.
async fn keep(app: &App, id: ImportId, upload: &mut Upload) -> Result<()> {
    let (mut number, mut part) = (0, Vec::with_capacity(PART_BYTES));
    while let Some(piece) = upload.piece().await? {
        part.extend_from_slice(&piece);
        if part.len() >= PART_BYTES {
            imports::append(app.db(), id, number, &part).await?;
            number += 1;
            part.clear();
        }
    }
    if !part.is_empty() {
        imports::append(app.db(), id, number, &part).await?;
    }
    Ok(())
}

/// How far an import has come.
#[utoipa::path(get, path = "/api/v1/imports/{id}", operation_id = "get_import", tag = "orders",
    params(("id" = ImportId, Path)), security(("bearer" = ["orders:import"])), responses((status = 200, body = ImportOut)))]
pub(super) async fn get_import(
    State(app): State<App>,
    caller: Can<MayImportOrders>,
    Path(id): Path<ImportId>,
) -> Result<Json<ImportOut>> {
    Ok(Json(find(&app, caller.scope()?, id).await?.into()))
}

async fn find(app: &App, scope: Scope, id: ImportId) -> Result<Progress> {
    Ok(imports::find(app.db(), scope, id).await?.ok_or_else(|| Failure::not_found("import"))?)
}

/// The rows that were rejected, the first 1,000 at most, as CSV: line, field, code, detail.
#[utoipa::path(get, path = "/api/v1/imports/{id}/errors", operation_id = "list_import_errors", tag = "orders",
    params(("id" = ImportId, Path)), security(("bearer" = ["orders:import"])),
    responses((status = 200, body = String, content_type = "text/csv")))]
pub(super) async fn list_import_errors(
    State(app): State<App>,
    caller: Can<MayImportOrders>,
    Path(id): Path<ImportId>,
) -> Result<Response> {
    let id = find(&app, caller.scope()?, id).await?.id;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"errors.csv\""),
    ];
    let first = stream::iter([csv_of([["line", "field", "code", "detail"]])]);
    let rest = stream::try_unfold(0, move |after| {
        let app = app.clone();
        async move {
            let rows = imports::errors(app.db(), id, after, ERRORS_A_READ).await?;
            let Some(last) = rows.last().map(|row| row.id) else { return Ok(None) };
            let lines = rows.iter().map(|row| {
                [row.line.to_string(), escape_cell(&row.field), row.code.clone(), escape_cell(&row.detail)]
            });
            Ok(Some((csv_of(lines)?, last)))
        }
    });
    Ok((StatusCode::OK, headers, Body::from_stream(first.chain(rest))).into_response())
}

fn csv_of<const N: usize>(rows: impl IntoIterator<Item = [impl AsRef<[u8]>; N]>) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).map_err(quenty_platform::Error::internal)?;
    }
    writer.into_inner().map_err(quenty_platform::Error::internal)
}
