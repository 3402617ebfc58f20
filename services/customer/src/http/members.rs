//! The people of a company. Who they are is decided by people who have logged in: a stolen API key must make nobody an
//! owner, and take no company from those who could revoke it.

use axum::extract::State;
use quenty_kernel::{
    Page, Timestamp,
    contact::{Email, LanguageTag, NewEmail, PersonName},
    id::{CompanyId, MemberId, UserId},
};
use quenty_platform::{
    App, Result, Tx,
    http::{Answer, Can, Json, Path, Query},
    list_query,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{InviteMembers, ReadMembers, RemoveMembers, UpdateMembers};
use crate::{
    commands::{self, MemberInvitation},
    domain::{
        company::CompanyError,
        invitation::Invitee,
        member::{Member, MemberRole, MemberStatus},
        profile::Profile,
    },
    store,
};

/// Somebody who is asked to join.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MemberIn {
    email: NewEmail,
    role: MemberRole,
    /// How somebody is called who is no user yet.
    given_name: PersonName,
    family_name: PersonName,
    language: LanguageTag,
}

impl From<MemberIn> for MemberInvitation {
    fn from(input: MemberIn) -> Self {
        let MemberIn { email, role, given_name, family_name, language } = input;
        Self { invitee: Invitee { email: email.into(), given_name, family_name, language }, role }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleIn {
    role: MemberRole,
}

/// A member, and the person once they have joined.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MemberOut {
    id: MemberId,
    company_id: CompanyId,
    user_id: Option<UserId>,
    email: Option<Email>,
    given_name: Option<PersonName>,
    family_name: Option<PersonName>,
    role: MemberRole,
    status: MemberStatus,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl MemberOut {
    fn new(member: &Member, profile: Option<&Profile>) -> Self {
        let (state, person) = (member.state(), profile.map(Profile::state));
        Self {
            id: state.id,
            company_id: state.company_id,
            user_id: state.user_id,
            email: person.map(|person| person.email.clone()).or_else(|| state.email.clone()),
            given_name: person.map(|person| person.given_name.clone()),
            family_name: person.map(|person| person.family_name.clone()),
            role: state.role,
            status: state.status,
            created_at: state.created_at,
            updated_at: state.updated_at,
        }
    }
}

/// Shows members with their names.
fn shown(members: &[Member], profiles: &[Profile]) -> Vec<MemberOut> {
    let profile_of =
        |member: &Member| profiles.iter().find(|profile| member.state().user_id == Some(profile.user_id()));
    members.iter().map(|member| MemberOut::new(member, profile_of(member))).collect()
}

pub(super) async fn shown_one(tx: &mut Tx, member: &Member) -> Result<Answer> {
    let profile = match member.state().user_id {
        Some(user) => store::profiles::find(tx.conn(), user).await?,
        None => None,
    };
    Answer::ok(&MemberOut::new(member, profile.as_ref()))
}

list_query!(MembersQuery {});

/// List a company's members and whom it has invited.
#[utoipa::path(get, path = "/api/v1/companies/{id}/members", operation_id = "list_members", tag = "members",
    params(("id" = CompanyId, Path), MembersQuery), security(("bearer" = ["members:read"])), responses((status = 200, body = Page<MemberOut>)))]
pub(super) async fn list_members(
    State(app): State<App>,
    caller: Can<ReadMembers>,
    Path(id): Path<CompanyId>,
    Query(query): Query<MembersQuery>,
) -> Result<Json<Page<MemberOut>>> {
    let scope = caller.scope()?;
    let company = store::companies::find(app.db(), scope, id).await?;
    company.ok_or(CompanyError::NotFound).map_err(crate::Error::from)?;
    let query = query.page();
    let rows = store::members::list(app.db(), scope, id, &query).await?;
    let page = Page::from_rows(rows, &query, |member| member.id().uuid());
    let profiles = store::profiles::of_members(app.db(), &page.items).await?;
    Ok(Json(Page { items: shown(&page.items, &profiles), next_cursor: page.next_cursor }))
}

/// Invite somebody by e-mail; one who is no user yet gets a link from Auth.
///
/// Mailed are one invitation an hour to an address for a company, three for all companies, and a hundred a day for a
/// company. What is more stands without a mail: whoever was never mailed gets the link by registering, or by asking for
/// another password.
#[utoipa::path(post, path = "/api/v1/companies/{id}/members", operation_id = "invite_member", tag = "members",
    params(("id" = CompanyId, Path)), request_body = MemberIn, security(("bearer" = ["members:invite"])),
    responses((status = 201, body = MemberOut), (status = 403, description = "`NOT_PERMITTED`, `NO_COMPANY`, `NO_SESSION`"),
        (status = 409, description = "`ALREADY_A_MEMBER`, `COMPANY_CLOSED`")))]
pub(super) async fn invite_member(
    State(app): State<App>,
    caller: Can<InviteMembers>,
    Path(id): Path<CompanyId>,
    Json(input): Json<MemberIn>,
) -> Result<Answer> {
    caller.session()?;
    let inviter = caller.user()?;
    let mut tx = app.begin(&caller).await?;
    let member = commands::invite_member(&mut tx, caller.scope()?, id, inviter, input.into()).await?;
    let location = format!("/api/v1/companies/{id}/members/{}", member.id());
    tx.answer(Answer::created(location, &MemberOut::new(&member, None))?).await
}

/// Change a member's role.
#[utoipa::path(patch, path = "/api/v1/companies/{id}/members/{member_id}", operation_id = "change_member_role", tag = "members",
    params(("id" = CompanyId, Path), ("member_id" = MemberId, Path)), request_body = RoleIn, security(("bearer" = ["members:update"])),
    responses((status = 200, body = MemberOut), (status = 403, description = "`NOT_PERMITTED`, `NO_COMPANY`, `NO_SESSION`"),
        (status = 409, description = "`LAST_OWNER`, `MEMBER_STATE`, `COMPANY_CLOSED`")))]
pub(super) async fn change_member_role(
    State(app): State<App>,
    caller: Can<UpdateMembers>,
    Path((id, member_id)): Path<(CompanyId, MemberId)>,
    Json(input): Json<RoleIn>,
) -> Result<Answer> {
    caller.session()?;
    let mut tx = app.begin(&caller).await?;
    let member = commands::change_member_role(&mut tx, caller.scope()?, id, member_id, input.role).await?;
    let answer = shown_one(&mut tx, &member).await?;
    tx.answer(answer).await
}

/// Remove a member, or take an invitation back.
#[utoipa::path(delete, path = "/api/v1/companies/{id}/members/{member_id}", operation_id = "remove_member", tag = "members",
    params(("id" = CompanyId, Path), ("member_id" = MemberId, Path)), security(("bearer" = ["members:remove"])),
    responses((status = 204), (status = 403, description = "`NOT_PERMITTED`, `NO_COMPANY`, `NO_SESSION`"),
        (status = 409, description = "`LAST_OWNER`")))]
pub(super) async fn remove_member(
    State(app): State<App>,
    caller: Can<RemoveMembers>,
    Path((id, member_id)): Path<(CompanyId, MemberId)>,
) -> Result<Answer> {
    caller.session()?;
    let mut tx = app.begin(&caller).await?;
    commands::remove_member(&mut tx, caller.scope()?, id, member_id).await?;
    tx.answer(Answer::no_content()).await
}
