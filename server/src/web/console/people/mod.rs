//! People: who may hold something of the council's, and what is left to do when somebody leaves.

mod device_rule;
mod edit;
mod give_back;
mod leaver;
mod leaver_close;
mod leaver_wipe;
mod leaving;
mod left;
mod list;
mod show;

use actix_web::web::{ServiceConfig, get, post};

use super::page::Place;
use crate::error::Result;
use crate::model::{CaseId, Permission, PersonId};
use crate::operations::cases::CaseDetail;
use crate::operations::people::{self, Held};
use crate::operations::{Context, councils, leavers};
use crate::store::Transaction;
use crate::store::people::Person;

pub(super) use leaver::place_of as place_of_leaver;

/// The pages about people.
pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .route("/councils/{council}/people", get().to(list::show))
        .route("/councils/{council}/people/new", get().to(edit::show_new))
        .route("/councils/{council}/people/new", post().to(edit::send_new))
        .route("/people/{person}", get().to(show::show))
        .route("/people/{person}/change", get().to(edit::show))
        .route("/people/{person}/change", post().to(edit::send))
        .route("/people/{person}/devices", get().to(device_rule::show))
        .route("/people/{person}/devices", post().to(device_rule::send))
        .route("/people/{person}/leaving", get().to(leaving::show))
        .route("/people/{person}/left", get().to(left::show))
        .route("/people/{person}/left", post().to(left::send))
        .route("/people/{person}/begin/{asset}", get().to(leaver::ask))
        .route("/people/{person}/begin/{asset}", post().to(leaver::begin))
        .route("/people/{person}/give-back/{asset}", get().to(give_back::show))
        .route("/people/{person}/give-back/{asset}", post().to(give_back::send))
        .route("/leavers/{leaver}", get().to(leaver::show))
        .route("/leavers/{leaver}/wipe", get().to(leaver_wipe::show))
        .route("/leavers/{leaver}/wipe", post().to(leaver_wipe::send))
        .route("/leavers/{leaver}/close", get().to(leaver_close::show))
        .route("/leavers/{leaver}/close", post().to(leaver_close::send));
}

/// The address of a person.
pub(super) fn place_of(person: &PersonId) -> String {
    format!("/console/people/{person}")
}

/// The council with this name, for whoever may see it.
fn council(tx: &mut Transaction<'_>, context: &Context, name: &str, permission: Permission) -> Result<Place> {
    let council = councils::permitted(tx, context, name, permission)?;
    Place::of(tx, &council)
}

/// A person with their council, and what they hold and held.
fn with_council(tx: &mut Transaction<'_>, context: &Context, id: &PersonId) -> Result<(Place, Person, Vec<Held>)> {
    let (person, held) = people::show_with_past(tx, context, id)?;
    Ok((Place::of(tx, &person.council_id)?, person, held))
}

/// A leaver's case with its council, and who gives the item back, as far as the register tells.
type LeaverCase = (Place, CaseDetail, Option<(PersonId, String)>);

/// The leaver's case with this id.
fn leaver_case(tx: &mut Transaction<'_>, context: &Context, id: &CaseId) -> Result<LeaverCase> {
    let detail = leavers::show(tx, context, id)?;
    let leaver = leavers::who(tx, context, &detail.case.asset)?;
    Ok((Place::of(tx, &detail.case.council)?, detail, leaver))
}
