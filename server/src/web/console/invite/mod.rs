//! Inviting a phone or tablet: three questions, one a page, and nothing kept until the last is answered.

mod answers;
mod holder;
mod item;
mod made;
mod open;
mod phone;
mod withdraw;

use actix_web::web::{ServiceConfig, get, post};
use askama::Template;

use super::form::Field;
use super::page::{Frame, Place};
use super::visitor::Visitor;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::Permission;
use crate::operations::councils;

/// The pages about invitations.
pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .route("/councils/{council}/invitations", get().to(open::show))
        .route("/councils/{council}/invite", get().to(item::show))
        .route("/councils/{council}/invite", post().to(made::send))
        .route("/councils/{council}/invite/holder", get().to(holder::show))
        .route("/councils/{council}/invite/phone", get().to(phone::show))
        .route("/invitations/{invitation}/withdraw", get().to(withdraw::show))
        .route("/invitations/{invitation}/withdraw", post().to(withdraw::send));
}

/// The council in the address, for whoever may register and invite.
async fn place_of(app: &App, visitor: &Visitor, council: &str) -> Result<Place> {
    let name = council.to_owned();
    let place = visitor
        .read(app, "council", move |tx, context| {
            let council = councils::permitted(tx, context, &name, Permission::Read)?;
            Place::of(tx, &council)
        })
        .await?;
    if visitor.may(Permission::Register, &place.id) {
        Ok(place)
    } else {
        Err(Error::forbidden("your role does not allow this"))
    }
}

/// Something that can be chosen.
struct Offer {
    what: String,
    detail: Vec<String>,
    /// Where choosing it leads.
    place: String,
    words: &'static str,
}

/// A question that is answered by choosing from what is offered or found, or by entering something new.
#[derive(Template)]
#[template(path = "console/choose.html")]
struct Choose {
    frame: Frame,
    back: (String, &'static str),
    lead: Vec<String>,
    /// What is offered before anything was looked for.
    offers: Vec<Offer>,
    /// Where the search and its hidden answers go.
    search: String,
    hidden: Vec<(&'static str, String)>,
    label: &'static str,
    hint: &'static str,
    asked: String,
    /// What was wrong with the search.
    problem: Option<String>,
    /// Nothing until something was looked for.
    found: Option<Vec<Offer>>,
    more: bool,
    /// The heading over the form for something new.
    new_heading: &'static str,
    /// Where that form goes.
    new_place: String,
    new_fields: Vec<Field>,
}
