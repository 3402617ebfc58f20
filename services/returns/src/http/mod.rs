//! The route table, and the permissions.

use quenty_platform::App;
use utoipa_axum::router::OpenApiRouter;

quenty_platform::permissions! {}

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
}
