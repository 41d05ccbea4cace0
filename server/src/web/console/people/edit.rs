//! Adding somebody, and changing what they are called and how to reach them.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::place_of;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{Permission, PersonId};
use crate::operations::people::{self, Description};
use crate::store::people::Person;
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::page::{Frame, Place, Question};
use crate::web::console::visitor::Visitor;

const LABELS: [(&str, &str); 3] = [("name", "Name"), ("email", "Mail address"), ("phone", "Telephone number")];

fn fields(person: Option<&Person>) -> Vec<Field> {
    let value = |value: Option<&String>| value.cloned().unwrap_or_default();
    vec![
        Field::line("name", "Name").value(value(person.map(|person| &person.name))).most(100),
        Field::line("email", "Mail address (optional)")
            .value(value(person.and_then(|person| person.email.as_ref())))
            .hint("Not one that only arrives on the phone they hold: it may be the lost one.")
            .most(254),
        Field::line("phone", "Telephone number (optional)")
            .value(value(person.and_then(|person| person.phone.as_ref())))
            .hint("Where they can be reached when the council\u{2019}s phone is lost: at home, for example.")
            .most(40)
            .short(),
    ]
}

fn sent_fields(sent: &Sent) -> Description {
    Description {
        name: Some(sent.text("name")),
        email: Some(sent.text("email")),
        phone: Some(sent.text("phone")),
        council_device_only: None,
    }
}

async fn place_for(app: &App, visitor: &Visitor, council: String) -> Result<Place> {
    visitor.read(app, "council", move |tx, context| super::council(tx, context, &council, Permission::Register)).await
}

fn new_page(app: &App, visitor: &Visitor, place: &Place, errors: &Errors) -> Result<Question> {
    let action = format!("{}/people/new", place.home());
    let form = Form::new(&action, visitor.token(app, &action)?, "Add this person").fields(fields(None));
    let frame = Frame::new(app, visitor, "Add a person", Some(place))?.with(errors);
    Ok(Question::new(frame, form)
        .back(format!("{}/people", place.home()), "All people")
        .lead("Somebody who may hold a phone, tablet or other thing of the council\u{2019}s. This gives them no account: whoever \
               signs in to Beadle is an operator."))
}

/// GET: the empty form.
pub(super) async fn show_new(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    let place = place_for(&app, &visitor, path.into_inner()).await?;
    new_page(&app, &visitor, &place, &Errors::default())?.answer()
}

/// POST: adds the person.
pub(super) async fn send_new(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let place = place_for(&app, &visitor, path.into_inner()).await?;
    let (council, new) = (place.id.to_string(), sent_fields(&sent));
    let done = visitor
        .change(&app, &sent, "add person", move |tx, context| Ok(people::add(tx, context, &council, &new)?.id))
        .await;
    match done {
        Ok(person) => Ok(go(&place_of(&person))),
        Err(error) => {
            let errors = Errors::of(error)?.named(&LABELS);
            new_page(&app, &visitor, &place, &errors)?.filled(&sent).answer()
        }
    }
}

async fn page(app: &App, visitor: &Visitor, id: &PersonId, errors: &Errors) -> Result<Question> {
    let wanted = id.clone();
    let (place, person, _) =
        visitor.read(app, "show person", move |tx, context| super::with_council(tx, context, &wanted)).await?;
    if !visitor.may(Permission::Register, &place.id) {
        return Err(Error::forbidden("your role does not allow this"));
    }
    let action = format!("{}/change", place_of(id));
    let form = Form::new(&action, visitor.token(app, &action)?, "Save").fields(fields(Some(&person)));
    let frame = Frame::new(app, visitor, format!("Change {}", person.name), Some(&place))?.with(errors);
    Ok(Question::new(frame, form).back(place_of(id), "Back to this person"))
}

/// GET: the form, with what is known.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    page(&app, &visitor, &PersonId::from(path.into_inner()), &Errors::default()).await?.answer()
}

/// POST: keeps it.
pub(super) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = PersonId::from(path.into_inner());
    let (person, change) = (id.clone(), sent_fields(&sent));
    let done = visitor
        .change(&app, &sent, "change person", move |tx, context| {
            people::change(tx, context, &person, &change).map(drop)
        })
        .await;
    match done {
        Ok(()) => Ok(go(&place_of(&id))),
        Err(error) => page(&app, &visitor, &id, &Errors::of(error)?.named(&LABELS)).await?.filled(&sent).answer(),
    }
}
