//! The leaver's checklist: each thing of somebody who leaves with its one next step, and at last that they have left.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;

use super::{place_of, place_of_leaver};
use crate::app::App;
use crate::model::{Ownership, Permission, PersonId};
use crate::operations::leavers::{self, Checklist, Item, Next};
use crate::store::people::Person;
use crate::web::console::failure::{Failure, sentence};
use crate::web::console::page::{Frame, Place, draw};
use crate::web::console::visitor::Visitor;

/// One thing on the list.
struct Line {
    tag: String,
    what: String,
    place: String,
    /// How it stands.
    standing: String,
    /// What comes next: where it is, and its words.
    step: Option<(String, &'static str)>,
    /// Its return, once that is open.
    case: Option<String>,
}

#[derive(Template)]
#[template(path = "console/leaving.html")]
struct Page {
    frame: Frame,
    place: Place,
    here: String,
    person: Person,
    lines: Vec<Line>,
    invitations: usize,
    /// Whether the last step may be taken.
    done: bool,
    may: bool,
    /// Where accounts are kept, for whoever may end one.
    operators: Option<String>,
}

/// GET: the list.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    let id = PersonId::from(path.into_inner());
    let (place, list) = visitor
        .read(&app, "leaver's checklist", move |tx, context| {
            let list = leavers::checklist(tx, context, &id)?;
            Ok((Place::of(tx, &list.person.council_id)?, list))
        })
        .await?;
    let Checklist { person, items, invitations } = list;
    let page = Page {
        frame: Frame::new(&app, &visitor, format!("{} is leaving", person.name), Some(&place))?,
        here: place_of(&person.id),
        lines: items.iter().map(|item| line(&visitor, &place, &person.id, item)).collect(),
        done: items.is_empty(),
        may: visitor.may(Permission::Register, &place.id),
        operators: visitor.may(Permission::Operators, &place.id).then(|| format!("{}/operators", place.home())),
        invitations,
        person,
        place,
    };
    draw(StatusCode::OK, &page)
}

fn line(visitor: &Visitor, place: &Place, person: &PersonId, item: &Item) -> Line {
    let (here, asset) = (place_of(person), &item.asset);
    let personal = item.ownership == Ownership::Personal;
    let may = |permission| visitor.may(permission, &place.id);
    let held = if item.held { "They hold it." } else { "They hold it no longer." };
    let (standing, step) = match &item.next {
        Next::Loss(case) => (
            "It is reported lost. See to that first.".to_owned(),
            Some((format!("/console/losses/{case}"), "Go on with this loss")),
        ),
        Next::Begin if personal => (
            "It is their own phone, with the council\u{2019}s work on it.".to_owned(),
            may(Permission::Register)
                .then(|| (format!("{here}/begin/{asset}"), "Begin taking the council\u{2019}s work off it")),
        ),
        Next::Begin => (
            format!("{held} It is under management."),
            may(Permission::Register).then(|| (format!("{here}/begin/{asset}"), "Begin its return")),
        ),
        Next::Erase(case) => {
            let words = match &item.order_words {
                Some(words) => format!("Its return is open. The last order to erase it: {words}."),
                None => "Its return is open. It has not been erased.".to_owned(),
            };
            let step = may(Permission::RequestOrder)
                .then(|| (format!("{}/wipe", place_of_leaver(case)), "Ask for it to be erased"));
            (words, step)
        }
        Next::Blocked(_, why) => {
            let step = item.device.as_ref().map(|device| (format!("/console/devices/{device}"), "Look at this device"));
            (format!("It cannot be erased: {why}."), step)
        }
        Next::Order(order) => {
            let words = item.order_words.clone().unwrap_or_default();
            (format!("Order to erase it: {}.", words), Some((format!("/console/orders/{order}"), "See how it stands")))
        }
        Next::TakeBack => {
            let words = match (&item.order_words, personal) {
                (Some(words), _) => format!("{}.", sentence(words)),
                (None, true) => "It is their own, and is not under management.".to_owned(),
                (None, false) => format!("{held} It is not under management."),
            };
            let step = if personal { "Take it off their name" } else { "Take it back" };
            (words, may(Permission::Register).then(|| (format!("{here}/give-back/{asset}"), step)))
        }
        Next::Close(case) => (
            "It is back. Only its return is still open.".to_owned(),
            may(Permission::CancelOrder).then(|| (format!("{}/close", place_of_leaver(case)), "Close its return")),
        ),
    };
    Line {
        tag: item.tag.clone(),
        what: item.what.clone(),
        place: format!("/console/assets/{asset}"),
        standing,
        step,
        case: item.case.as_ref().map(place_of_leaver),
    }
}
