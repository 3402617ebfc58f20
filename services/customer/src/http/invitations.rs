//! A person's own invitations into companies.

use axum::extract::State;
use quenty_kernel::{
    Page, Timestamp,
    contact::Text,
    id::{CompanyId, MemberId},
};
use quenty_platform::{
    App, Result,
    http::{Answer, Json, LoggedIn, Path, Query},
    list_query,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::members::{MemberOut, shown_one};
use crate::{
    commands,
    domain::{member::MemberRole, profile::ProfileError},
    store::{self, members::OpenInvitation},
};

list_query!(InvitationsQuery {});

/// A company asks the person to join.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InvitationOut {
    id: MemberId,
    company_id: CompanyId,
    #[schema(example = "Café Andes")]
    company_name: Text<120>,
    role: MemberRole,
    created_at: Timestamp,
}

impl From<OpenInvitation> for InvitationOut {
    fn from(invitation: OpenInvitation) -> Self {
        let OpenInvitation { id, company_id, company_name, role, created_at } = invitation;
        Self { id, company_id, company_name, role, created_at }
    }
}

/// List one's own open invitations.
#[utoipa::path(get, path = "/api/v1/profile/invitations", operation_id = "list_invitations", tag = "members",
    params(InvitationsQuery), security(("bearer" = [])), responses((status = 200, body = Page<InvitationOut>),
        (status = 403, description = "`NO_SESSION`")))]
pub(super) async fn list_invitations(
    State(app): State<App>,
    caller: LoggedIn,
    Query(query): Query<InvitationsQuery>,
) -> Result<Json<Page<InvitationOut>>> {
    let profile = store::profiles::find(app.db(), caller.user()?).await?;
    let profile = profile.ok_or(ProfileError::NotKnownYet).map_err(crate::Error::from)?;
    let page = query.page();
    let rows = store::members::list_invitations(app.db(), &profile.state().email, &page).await?;
    Ok(Json(Page::from_rows(rows, &page, |invitation| invitation.id.uuid()).map(InvitationOut::from)))
}

/// Accept an invitation that went to one's own e-mail address.
#[utoipa::path(post, path = "/api/v1/invitations/{member_id}/accept", operation_id = "accept_invitation", tag = "members",
    params(("member_id" = MemberId, Path)), security(("bearer" = [])),
    responses((status = 200, body = MemberOut), (status = 403, description = "`NO_SESSION`"),
        (status = 409, description = "`MEMBER_STATE`: accepted before; `ALREADY_A_MEMBER`, `COMPANY_CLOSED`")))]
pub(super) async fn accept_invitation(
    State(app): State<App>,
    caller: LoggedIn,
    Path(id): Path<MemberId>,
) -> Result<Answer> {
    let user = caller.user()?;
    let mut tx = app.begin(&caller).await?;
    let member = commands::accept_invitation(&mut tx, user, id).await?;
    let answer = shown_one(&mut tx, &member).await?;
    tx.answer(answer).await
}
