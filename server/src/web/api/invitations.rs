//! Invitations over the API: the link by which a holder enrols a phone.

use actix_web::http::StatusCode;
use actix_web::web::{self, Json};
use actix_web::{HttpResponse, delete, get, post};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::caller::Caller;
use super::page::{Page, PageQuery};
use super::problem::Problem;
use crate::app::App;
use crate::model::{AssetId, CouncilId, InvitationId, InvitationState, Mode, Moment, Ownership, PersonId};
use crate::operations::invitations::{self, Made, Named, NewInvitation};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(create).service(list).service(withdraw);
}

/// An invitation. Its link is shown once, when it is made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct InvitationView {
    id: InvitationId,
    council: CouncilId,
    asset: AssetId,
    asset_tag: String,
    person: PersonId,
    person_name: String,
    mode: Mode,
    ownership: Ownership,
    state: InvitationState,
    /// Whether it can still be used: neither used nor withdrawn nor run out.
    usable: bool,
    created_at: Moment,
    expires_at: Moment,
    /// When the holder accepted the notice.
    accepted_at: Option<Moment>,
    /// Which version of the notice that was.
    notice_version: Option<String>,
    /// When a phone enrolled with it.
    used_at: Option<Moment>,
}

impl InvitationView {
    fn of(named: Named, now: Moment) -> Self {
        let Named { invitation, asset_tag, person_name } = named;
        Self {
            usable: invitations::is_open(&invitation, now),
            id: invitation.id,
            council: invitation.council_id,
            asset: invitation.asset_id,
            asset_tag,
            person: invitation.person_id,
            person_name,
            mode: invitation.mode,
            ownership: invitation.ownership,
            state: invitation.state,
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
            accepted_at: invitation.accepted_at,
            notice_version: invitation.notice_version,
            used_at: invitation.used_at,
        }
    }
}

/// An invitation to make.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateInvitation {
    /// The item that the phone is: its id or tag.
    asset: String,
    /// Who is invited; the item's only holder unless given.
    person: Option<PersonId>,
    /// device or supervised; device unless given.
    mode: Option<Mode>,
    /// How long it can be used, in hours; 168, a week, unless given.
    #[schema(minimum = 1, maximum = 720)]
    expires_in_hours: Option<i64>,
}

/// An invitation just made, with its link, which is shown only now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct MadeView {
    #[serde(flatten)]
    invitation: InvitationView,
    /// The link to send to the holder.
    link: String,
    /// The code in the link, in groups, for reading it out.
    code: String,
    /// What to know before sending it.
    warnings: Vec<String>,
}

/// Invites a person to enrol a phone as an item of the register. An older invitation for the item is withdrawn.
#[utoipa::path(tag = "invitations", responses((status = CREATED, body = MadeView)))]
#[post("/councils/{council}/invitations")]
async fn create(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    body: Json<CreateInvitation>,
) -> Result<HttpResponse, Problem> {
    let (council, body) = (path.into_inner(), body.into_inner());
    let new = NewInvitation {
        asset: body.asset,
        person: body.person,
        mode: body.mode,
        expires_in_hours: body.expires_in_hours,
    };
    caller
        .write(&app, "create invitation", StatusCode::CREATED, move |tx, context| {
            let Made { named, link, code, warnings } = invitations::create(tx, context, &council, &new)?;
            Ok(MadeView { invitation: InvitationView::of(named, context.now), link, code, warnings })
        })
        .await
}

/// Which invitations to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct InvitationsQuery {
    /// The `next` of the page before; nothing for the first page.
    after: Option<String>,
    /// How many items, 1 to 200; 50 unless given.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// Only those that can still be used; false unless given.
    usable: Option<bool>,
}

/// Lists the council's invitations.
#[utoipa::path(tag = "invitations", params(InvitationsQuery), responses((status = OK, body = Page<InvitationView>)))]
#[get("/councils/{council}/invitations")]
async fn list(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    query: web::Query<InvitationsQuery>,
) -> Result<Json<Page<InvitationView>>, Problem> {
    let (council, query) = (path.into_inner(), query.into_inner());
    let (usable, query) = (query.usable.unwrap_or(false), PageQuery { after: query.after, limit: query.limit });
    caller
        .read(&app, "list invitations", move |tx, context| {
            let rows = invitations::list(tx, context, &council, usable, query.after.as_deref(), query.rows()?)?;
            let cursor = |row: &Named| row.invitation.id.to_string();
            Page::of(&query, rows, cursor, |row| InvitationView::of(row, context.now))
        })
        .await
        .map(Json)
}

/// Withdraws an invitation: its link leads nowhere from now on.
#[utoipa::path(tag = "invitations", responses((status = OK, body = InvitationView)))]
#[delete("/invitations/{invitation}")]
async fn withdraw(app: web::Data<App>, caller: Caller, path: web::Path<InvitationId>) -> Result<HttpResponse, Problem> {
    let id = path.into_inner();
    caller
        .write(&app, "withdraw invitation", StatusCode::OK, move |tx, context| {
            invitations::withdraw(tx, context, &id).map(|named| InvitationView::of(named, context.now))
        })
        .await
}
