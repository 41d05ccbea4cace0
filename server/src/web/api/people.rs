//! People over the API: who may hold an item of the council's.

use actix_web::http::StatusCode;
use actix_web::web::{self, Json};
use actix_web::{HttpResponse, get, patch, post};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::caller::Caller;
use super::page::{Page, PageQuery};
use super::problem::Problem;
use crate::app::App;
use crate::model::{AssetId, CouncilId, Moment, PersonId};
use crate::operations::people::{self, Description};
use crate::store::people::Person;

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(add).service(list).service(show).service(change).service(end);
}

/// A person who may hold a device.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PersonView {
    id: PersonId,
    council: CouncilId,
    name: String,
    email: Option<String>,
    phone: Option<String>,
    /// Whether they work with the council's own devices only, never with a personal one.
    council_device_only: bool,
    created_at: Moment,
    /// When they left, if they did.
    ended_at: Option<Moment>,
}

impl From<Person> for PersonView {
    fn from(person: Person) -> Self {
        Self {
            id: person.id,
            council: person.council_id,
            name: person.name,
            email: person.email,
            phone: person.phone,
            council_device_only: person.council_device_only,
            created_at: person.created_at,
            ended_at: person.ended_at,
        }
    }
}

/// A person to add.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct AddPerson {
    name: String,
    email: Option<String>,
    phone: Option<String>,
    /// They work with the council's own devices only, never with a personal one; false unless given.
    council_device_only: Option<bool>,
}

/// Adds a person to the council's register.
#[utoipa::path(tag = "people", responses((status = CREATED, body = PersonView)))]
#[post("/councils/{council}/people")]
async fn add(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    body: Json<AddPerson>,
) -> Result<HttpResponse, Problem> {
    let (council, body) = (path.into_inner(), body.into_inner());
    let new = Description {
        name: Some(body.name),
        email: body.email,
        phone: body.phone,
        council_device_only: body.council_device_only,
    };
    caller
        .write(&app, "add person", StatusCode::CREATED, move |tx, context| {
            people::add(tx, context, &council, &new).map(PersonView::from)
        })
        .await
}

/// Which people to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct PeopleQuery {
    /// The `next` of the page before; nothing for the first page.
    after: Option<String>,
    /// How many items, 1 to 200; 50 unless given.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// Those who have left, too; false unless given.
    ended: Option<bool>,
}

/// Lists the council's people.
#[utoipa::path(tag = "people", params(PeopleQuery), responses((status = OK, body = Page<PersonView>)))]
#[get("/councils/{council}/people")]
async fn list(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    query: web::Query<PeopleQuery>,
) -> Result<Json<Page<PersonView>>, Problem> {
    let (council, query) = (path.into_inner(), query.into_inner());
    let (ended, query) = (query.ended.unwrap_or(false), PageQuery { after: query.after, limit: query.limit });
    caller
        .read(&app, "list people", move |tx, context| {
            let rows = people::list(tx, context, &council, ended, query.after.as_deref(), query.rows()?)?;
            Page::of(&query, rows, |row| row.id.to_string(), PersonView::from)
        })
        .await
        .map(Json)
}

/// An item that the person holds now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct HeldView {
    asset: AssetId,
    tag: String,
    since: Moment,
}

/// A person and what they hold.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PersonDetail {
    #[serde(flatten)]
    person: PersonView,
    /// What they hold now.
    holds: Vec<HeldView>,
}

/// Shows a person and what they hold.
#[utoipa::path(tag = "people", responses((status = OK, body = PersonDetail)))]
#[get("/people/{person}")]
async fn show(app: web::Data<App>, caller: Caller, path: web::Path<PersonId>) -> Result<Json<PersonDetail>, Problem> {
    let id = path.into_inner();
    caller
        .read(&app, "show person", move |tx, context| {
            let (person, held) = people::show(tx, context, &id)?;
            let holds =
                held.into_iter().map(|held| HeldView { asset: held.asset, tag: held.tag, since: held.since }).collect();
            Ok(PersonDetail { person: person.into(), holds })
        })
        .await
        .map(Json)
}

/// What to change of a person; what is left out stays, an empty text clears.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangePerson {
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    council_device_only: Option<bool>,
}

/// Changes what a person is called and how to reach them.
#[utoipa::path(tag = "people", responses((status = OK, body = PersonView)))]
#[patch("/people/{person}")]
async fn change(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<PersonId>,
    body: Json<ChangePerson>,
) -> Result<HttpResponse, Problem> {
    let (id, body) = (path.into_inner(), body.into_inner());
    let change = Description {
        name: body.name,
        email: body.email,
        phone: body.phone,
        council_device_only: body.council_device_only,
    };
    caller
        .write(&app, "change person", StatusCode::OK, move |tx, context| {
            people::change(tx, context, &id, &change).map(PersonView::from)
        })
        .await
}

/// Notes that a person has left. Refused while they hold an item or a phone they enrolled is under management.
#[utoipa::path(tag = "people", responses((status = OK, body = PersonView)))]
#[post("/people/{person}/end")]
async fn end(app: web::Data<App>, caller: Caller, path: web::Path<PersonId>) -> Result<HttpResponse, Problem> {
    let id = path.into_inner();
    caller
        .write(&app, "end person", StatusCode::OK, move |tx, context| {
            people::end(tx, context, &id).map(PersonView::from)
        })
        .await
}
