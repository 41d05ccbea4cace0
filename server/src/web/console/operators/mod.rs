//! Operators: who signs in to Beadle, with which role, and whom the council named as approver.

mod add;
mod approver;
mod edit;
mod end;
mod list;
mod provider;
mod reset;
mod role;
mod show;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{ServiceConfig, get, post};
use askama::Template;

use super::failure::Failure;
use super::page::{Frame, Place, draw};
use super::visitor::Visitor;
use crate::app::App;
use crate::error::Result;
use crate::model::{OperatorId, Role};
use crate::operations::{Context, operators};
use crate::store::Transaction;
use crate::store::operators::Operator;

/// The pages about operators.
pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .route("/operators", get().to(list::show_providers))
        .route("/operators/new", get().to(add::show_provider))
        .route("/operators/new", post().to(add::send_provider))
        .route("/councils/{council}/operators", get().to(list::show))
        .route("/councils/{council}/operators/new", get().to(add::show))
        .route("/councils/{council}/operators/new", post().to(add::send))
        .route("/councils/{council}/approvers", get().to(provider::show))
        .route("/councils/{council}/approvers", post().to(provider::send))
        .route("/councils/{council}/approvers/{operator}", get().to(approver::show))
        .route("/councils/{council}/approvers/{operator}", post().to(approver::send))
        .route("/operators/{operator}", get().to(show::show))
        .route("/operators/{operator}/change", get().to(edit::show))
        .route("/operators/{operator}/change", post().to(edit::send))
        .route("/operators/{operator}/role", get().to(role::show))
        .route("/operators/{operator}/role", post().to(role::send))
        .route("/operators/{operator}/reset", get().to(reset::show))
        .route("/operators/{operator}/reset", post().to(reset::send))
        .route("/operators/{operator}/end", get().to(end::show))
        .route("/operators/{operator}/end", post().to(end::send));
}

/// The roles within a council, each with what it may do.
const ROLES: [(&str, &str); 3] = [
    ("clerk", "Clerk: keeps the register, reports losses, asks for a phone to be erased"),
    ("approver", "Approver, such as the chair: decides about what a clerk asks for"),
    ("auditor", "Auditor: reads everything and changes nothing"),
];

/// The labels of the fields, for what is wrong with them.
const LABELS: [(&str, &str); 3] = [("login", "Sign-in name"), ("name", "Name"), ("mail", "Mail address")];

/// The address of an operator.
fn place_of(operator: &OperatorId) -> String {
    format!("/console/operators/{operator}")
}

/// The address of the list of a council, or of the providers.
fn list_of(place: Option<&Place>) -> String {
    place.map_or_else(|| "/console/operators".to_owned(), |place| format!("{}/operators", place.home()))
}

/// A role in a word.
fn role_word(role: Role) -> &'static str {
    match role {
        Role::Provider => "Provider",
        Role::Clerk => "Clerk",
        Role::Approver => "Approver",
        Role::Auditor => "Auditor",
    }
}

/// An operator with the council, none for a provider.
fn with_council(tx: &mut Transaction<'_>, context: &Context, id: &OperatorId) -> Result<(Option<Place>, Operator)> {
    let operator = operators::show(tx, context, id)?;
    let place = operator.council_id.as_ref().map(|council| Place::of(tx, council)).transpose()?;
    Ok((place, operator))
}

#[derive(Template)]
#[template(path = "console/initial_password.html")]
struct Initial {
    frame: Frame,
    login: String,
    password: String,
    next: String,
}

/// The page with an initial password, which is shown once.
fn initial_password(
    app: &App,
    visitor: &Visitor,
    place: Option<&Place>,
    id: &OperatorId,
    login: String,
    password: String,
) -> Result<HttpResponse, Failure> {
    let frame = Frame::new(app, visitor, "Hand over this password", place)?;
    draw(StatusCode::OK, &Initial { frame, login, password, next: place_of(id) })
}
