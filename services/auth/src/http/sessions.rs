//! Sessions: renewing, switching, looking at and ending them.

use axum::extract::State;
use quenty_kernel::{
    Cursor, Page, PageQuery, Timestamp,
    clock::wall_now,
    id::{CompanyId, SessionId, UserId},
    page::Limit,
};
use quenty_platform::{
    App, Result,
    http::{Answer, Anyone, Caller, Json, LoggedIn, Path, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    customer,
    tokens_out::{self, TokensOut},
};
use crate::{
    commands::{self, Outcome, Which, record_access},
    domain::{origin::Origin, secret::OpaqueToken, session::Session},
    error::Error,
    store,
};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RefreshIn {
    refresh_token: OpaqueToken,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SwitchCompanyIn {
    /// Null: speak for no company.
    company_id: Option<CompanyId>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SessionOut {
    id: SessionId,
    company_id: Option<CompanyId>,
    #[schema(example = "198.51.100.7")]
    address: String,
    user_agent: String,
    created_at: Timestamp,
    last_used_at: Timestamp,
    expires_at: Timestamp,
    /// The session that asks.
    is_current: bool,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SessionsQuery {
    /// Items a page, 1 to 100.
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// Renew the tokens; each refresh token works once.
#[utoipa::path(post, path = "/api/v1/auth/refresh", operation_id = "refresh", tag = "auth", security(()), request_body = RefreshIn,
    responses((status = 200, body = TokensOut),
        (status = 401, description = "`INVALID_REFRESH_TOKEN`; `REFRESH_TOKEN_REUSED`: it was used before, so the session was ended")))]
pub(super) async fn refresh(
    State(app): State<App>,
    caller: Anyone,
    origin: Origin,
    Json(input): Json<RefreshIn>,
) -> Result<Answer> {
    let told = told_of_new_company(&app, &input.refresh_token).await?;
    let mut tx = app.begin(&caller).await?;
    match commands::refresh(&mut tx, &input.refresh_token, &told, &origin).await? {
        Ok(tokens) => tx.answer(tokens_out::answer(tokens)?).await,
        Err(refused) => tx.refuse(refused).await,
    }
}

/// Asks Customer when we know no company of a person without platform roles. Its silence keeps nobody from refreshing.
async fn told_of_new_company(
    app: &App,
    token: &OpaqueToken,
) -> Result<Vec<quenty_contracts::customer::Membership>> {
    let session = store::sessions::find_by_token(app.db(), &token.hash()).await?;
    let Some(session) = session.filter(|session| session.is_live(wall_now())) else { return Ok(Vec::new()) };
    let is_staff =
        store::users::find(app.db(), session.user_id).await?.is_some_and(|user| !user.roles().is_empty());
    if is_staff || !store::memberships::of_user(app.db(), session.user_id).await?.is_empty() {
        return Ok(Vec::new());
    }
    Ok(customer::memberships(app, session.user_id).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "Customer could not be asked for memberships");
        Vec::new()
    }))
}

/// The person and the session that ask. What is about oneself needs a login: the token of an API key has no session.
pub(super) fn own_session(caller: &Caller) -> Result<(UserId, SessionId)> {
    Ok((caller.user()?, caller.session()?))
}

/// Speak for another of one's companies.
#[utoipa::path(post, path = "/api/v1/auth/switch-company", operation_id = "switch_company", tag = "auth", request_body = SwitchCompanyIn,
    security(("bearer" = [])), responses((status = 200, body = TokensOut), (status = 404, description = "`NOT_FOUND`: no such company, or not a member of it")))]
pub(super) async fn switch_company(
    State(app): State<App>,
    caller: LoggedIn,
    origin: Origin,
    Json(input): Json<SwitchCompanyIn>,
) -> Result<Answer> {
    let (user, session) = own_session(&caller)?;
    let mut told = Vec::new();
    if let Some(company) = input.company_id {
        let known = store::memberships::of_user(app.db(), user).await?;
        if !known.iter().any(|membership| membership.company_id == company) {
            told = customer::memberships(&app, user).await?;
        }
    }
    let mut tx = app.begin(&caller).await?;
    let tokens = commands::switch_company(&mut tx, user, session, input.company_id, &told, &origin).await?;
    tx.answer(tokens_out::answer(tokens)?).await
}

/// End this session.
#[utoipa::path(post, path = "/api/v1/auth/logout", operation_id = "logout", tag = "auth", security(("bearer" = [])), responses((status = 204)))]
pub(super) async fn logout(State(app): State<App>, caller: LoggedIn, origin: Origin) -> Result<Answer> {
    let (user, session) = own_session(&caller)?;
    let mut tx = app.begin(&caller).await?;
    commands::end_sessions(&mut tx, user, Which::Only(session), "logout").await?;
    record_access(&mut tx, "logout", Outcome::Succeeded, Some(user), None, &origin)?;
    tx.answer(Answer::no_content()).await
}

/// End all one's sessions.
#[utoipa::path(post, path = "/api/v1/auth/logout-all", operation_id = "logout_all", tag = "auth", security(("bearer" = [])), responses((status = 204)))]
pub(super) async fn logout_all(State(app): State<App>, caller: LoggedIn, origin: Origin) -> Result<Answer> {
    let (user, _) = own_session(&caller)?;
    let mut tx = app.begin(&caller).await?;
    commands::end_sessions(&mut tx, user, Which::All, "logout_all").await?;
    record_access(&mut tx, "logout_all", Outcome::Succeeded, Some(user), None, &origin)?;
    tx.answer(Answer::no_content()).await
}

/// List one's live sessions.
#[utoipa::path(get, path = "/api/v1/auth/sessions", operation_id = "list_sessions", tag = "auth", params(SessionsQuery), security(("bearer" = [])),
    responses((status = 200, body = Page<SessionOut>)))]
pub(super) async fn list_sessions(
    State(app): State<App>,
    caller: LoggedIn,
    Query(query): Query<SessionsQuery>,
) -> Result<Json<Page<SessionOut>>> {
    let (user, current) = own_session(&caller)?;
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let sessions = store::sessions::live(app.db(), user, &page, wall_now()).await?;
    Ok(Json(sessions.map(|session| out(session, current))))
}

/// End one of one's sessions.
#[utoipa::path(delete, path = "/api/v1/auth/sessions/{id}", operation_id = "end_session", tag = "auth", params(("id" = SessionId, Path)),
    security(("bearer" = [])), responses((status = 204)))]
pub(super) async fn end_session(
    State(app): State<App>,
    caller: LoggedIn,
    origin: Origin,
    Path(id): Path<SessionId>,
) -> Result<Answer> {
    let (user, _) = own_session(&caller)?;
    let mut tx = app.begin(&caller).await?;
    if commands::end_sessions(&mut tx, user, Which::Only(id), "ended").await? == 0 {
        return Err(Error::NotFound("session").into());
    }
    record_access(&mut tx, "end_session", Outcome::Succeeded, Some(user), None, &origin)?;
    tx.answer(Answer::no_content()).await
}

fn out(session: Session, current: SessionId) -> SessionOut {
    SessionOut {
        is_current: session.id == current,
        id: session.id,
        company_id: session.company_id,
        address: session.address,
        user_agent: session.user_agent,
        created_at: session.created_at,
        last_used_at: session.last_used_at,
        expires_at: session.expires_at,
    }
}
