//! One person: how to reach them, what they hold and held, and what can be done.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;

use super::place_of;
use crate::app::App;
use crate::model::{Permission, PersonId};
use crate::operations::people::Held;
use crate::store::people::Person;
use crate::web::console::failure::Failure;
use crate::web::console::page::{Frame, Place, draw, or_unknown};
use crate::web::console::visitor::Visitor;

#[derive(Template)]
#[template(path = "console/person.html")]
struct Page {
    frame: Frame,
    place: Place,
    here: String,
    person: Person,
    email: String,
    phone: String,
    holds: Vec<Held>,
    held: Vec<Held>,
    may_change: bool,
}

/// GET: the page.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    let id = PersonId::from(path.into_inner());
    let (place, person, held) =
        visitor.read(&app, "show person", move |tx, context| super::with_council(tx, context, &id)).await?;
    let (holds, held) = held.into_iter().partition(|held: &Held| held.until.is_none());
    let page = Page {
        frame: Frame::new(&app, &visitor, person.name.clone(), Some(&place))?,
        here: place_of(&person.id),
        email: or_unknown(person.email.as_deref()),
        phone: or_unknown(person.phone.as_deref()),
        may_change: person.ended_at.is_none() && visitor.may(Permission::Register, &place.id),
        holds,
        held,
        person,
        place,
    };
    draw(StatusCode::OK, &page)
}
