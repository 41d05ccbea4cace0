//! One-operator working: what it means, who was told, announcing it, and ending it.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, ServiceConfig, get, post};

use super::confirm;
use super::failure::{Failure, go};
use super::form::{Errors, Field, Form, Sent};
use super::page::{Frame, Place, Question};
use super::visitor::Visitor;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{CONFIRM_FIRST, Permission};
use crate::operations::councils;
use crate::operations::one_operator::{self, Hearer, NewSetting, OneOperatorView};

/// The pages.
pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .route("/councils/{council}/one-operator", get().to(show))
        .route("/councils/{council}/one-operator/announce", get().to(form))
        .route("/councils/{council}/one-operator/announce", post().to(send))
        .route("/councils/{council}/one-operator/end", get().to(end))
        .route("/councils/{council}/one-operator/end", post().to(send_end));
}

const TITLE: &str = "One-operator working";

/// The people to be told of each order, as the form names them: name, address.
const PEOPLE: [(&str, &str); 2] = [("chair_name", "chair_address"), ("other_name", "other_address")];

async fn look(app: &App, visitor: &Visitor, name: &str) -> Result<(Place, OneOperatorView)> {
    let name = name.to_owned();
    visitor
        .read(app, "show one-operator working", move |tx, context| {
            let council = councils::permitted(tx, context, &name, Permission::Read)?;
            Ok((Place::of(tx, &council)?, one_operator::show(tx, context, &council)?))
        })
        .await
}

fn here(place: &Place) -> String {
    format!("{}/one-operator", place.home())
}

/// GET: how it stands.
async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    let (place, view) = look(&app, &visitor, &path.into_inner()).await?;
    let may_announce = visitor.may(Permission::RequestOrder, &place.id);
    let may_end = visitor.may(Permission::CancelOrder, &place.id);
    let mut page = Question::plain(Frame::new(&app, &visitor, TITLE, Some(&place))?)
        .back(format!("{}/settings", place.home()), "Settings");
    if !view.announced {
        page = page
            .lead("Two people must agree before a phone is erased. That is how it should be wherever there are two.")
            .lead(
                "Where there is only one, that person may work alone: orders to erase wait 30 minutes instead, in which whoever \
                 is told of them by mail, as a rule the chair, can stop them.",
            );
        if may_announce {
            page = page.link(format!("{}/announce", here(&place)), "Announce one-operator working");
        }
        return page.answer();
    }
    let from = match (view.in_effect, &view.from) {
        (true, Some(at)) => format!("It has been in effect since {}", place.zone.when(at)),
        (false, Some(at)) => format!("It takes effect on {}", place.zone.when(at)),
        (_, None) => "It takes effect 72 hours after everyone was told. Somebody has not been told yet".to_owned(),
    };
    page = page
        .lead(format!("{from}."))
        .fact("Announced by", view.begun_by.unwrap_or_default())
        .fact("Announced", place.zone.when_or(&view.begun_at, "Not known"))
        .fact("Reason", view.reason.unwrap_or_default());
    for told in &view.told {
        let what = if told.hears_of_orders { "Told of this, and of each order" } else { "Told of this" };
        let when = match &told.accepted_at {
            Some(at) => format!("mail sent {}", place.zone.when(at)),
            None => "the mail server has not accepted the mail yet".to_owned(),
        };
        page = page.fact(what, format!("{}, {}: {when}", told.name, told.address));
    }
    if view.from.is_none() {
        page = page.lead("If a mail cannot be delivered, end this, put the address right, and announce it anew.");
    }
    if may_end {
        page = page.link(format!("{}/end", here(&place)), "End one-operator working");
    }
    page.answer()
}

async fn ask(
    app: &App,
    visitor: &Visitor,
    name: &str,
    sent: Option<&Sent>,
    errors: &Errors,
) -> Result<HttpResponse, Failure> {
    let (place, _) = look(app, visitor, name).await?;
    let action = format!("{}/announce", here(&place));
    let address = |name: &'static str, label: &str| Field::line(name, label).most(254);
    let fields = vec![
        Field::line("chair_name", "Who is told of each order?").hint("As a rule the chair of the council.").most(100),
        address("chair_address", "Their mail address")
            .hint("One that they read without the council's phone, and that is not yours."),
        Field::line("other_name", "Who else? (optional)")
            .hint(
                "Needed for the day on which the first one's own phone is the lost one: whoever holds it is not told.",
            )
            .most(100),
        address("other_address", "Their mail address (optional)"),
        Field::lines("reason", "Why must one person be enough?").most(1000),
    ];
    let mut form = Form::new(&action, visitor.token(app, &action)?, "Announce it to everyone").fields(fields);
    if let Some(sent) = sent {
        form = form.filled(sent);
    }
    let frame = Frame::new(app, visitor, "Announce one-operator working", Some(&place))?.with(errors);
    Question::new(frame, form)
        .back(here(&place), TITLE)
        .lead("Everyone with an account here, also who just left, is told by mail, and so are the people you name now.")
        .lead(
            "It takes effect 72 hours after the last of them was told. Each of them can end it, by the link in \
             that mail.",
        )
        .answer()
}

/// GET: the form.
async fn form(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    let name = path.into_inner();
    if !visitor.is_fresh(&app) {
        return Err(confirm::first(&format!("/console/councils/{name}/one-operator/announce")));
    }
    ask(&app, &visitor, &name, None, &Errors::default()).await
}

fn entered(sent: &Sent) -> NewSetting {
    let people = PEOPLE.iter().map(|(name, address)| Hearer { name: sent.text(name), address: sent.text(address) });
    NewSetting {
        reason: sent.text("reason"),
        // The second one may be left out, the first one may not.
        hearers: people
            .enumerate()
            .filter(|(number, hearer)| {
                *number == 0 || !(hearer.name.trim().is_empty() && hearer.address.trim().is_empty())
            })
            .map(|(_, hearer)| hearer)
            .collect(),
    }
}

/// What is wrong, beside the field of this form that it is about.
fn beside(error: Error) -> Result<Errors, Failure> {
    let Error::Invalid { field, problem } = error else { return Errors::of(error) };
    for (number, (name, address)) in PEOPLE.iter().enumerate() {
        if field == format!("hearers[{number}].name") {
            return Ok(Errors::one(name, &format!("The name {problem}")));
        }
        if field == format!("hearers[{number}].address") {
            return Ok(Errors::one(address, &format!("The mail address {problem}")));
        }
    }
    Errors::of(Error::Invalid { field, problem })
}

/// POST: announces it.
async fn send(app: Data<App>, visitor: Visitor, sent: Sent, path: Path<String>) -> Result<HttpResponse, Failure> {
    let name = path.into_inner();
    let (council, new) = (name.clone(), entered(&sent));
    let done = visitor
        .change(&app, &sent, "announce one-operator working", move |tx, context| {
            let council = councils::permitted(tx, context, &council, Permission::Read)?;
            one_operator::begin(tx, context, &council, &new).map(drop)
        })
        .await;
    match done {
        Ok(()) => Ok(go(&format!("/console/councils/{name}/one-operator"))),
        Err(Error::Forbidden(words)) if words == CONFIRM_FIRST => {
            Err(confirm::first(&format!("/console/councils/{name}/one-operator/announce")))
        }
        Err(error) => ask(&app, &visitor, &name, Some(&sent), &beside(error)?).await,
    }
}

async fn ask_end(app: &App, visitor: &Visitor, name: &str, errors: &Errors) -> Result<HttpResponse, Failure> {
    let (place, _) = look(app, visitor, name).await?;
    let action = format!("{}/end", here(&place));
    let form = Form::new(&action, visitor.token(app, &action)?, "End it now");
    Question::new(Frame::new(app, visitor, "End one-operator working?", Some(&place))?.with(errors), form)
        .back(here(&place), TITLE)
        .lead("From now on two people must agree before a phone is erased. Orders that wait for their 30 minutes wait for a second person.")
        .lead("To allow it again, it must be announced again, and 72 hours must pass.")
        .answer()
}

/// GET: the question.
async fn end(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    ask_end(&app, &visitor, &path.into_inner(), &Errors::default()).await
}

/// POST: ends it.
async fn send_end(app: Data<App>, visitor: Visitor, sent: Sent, path: Path<String>) -> Result<HttpResponse, Failure> {
    let name = path.into_inner();
    let council = name.clone();
    let done = visitor
        .change(&app, &sent, "end one-operator working", move |tx, context| {
            let council = councils::permitted(tx, context, &council, Permission::Read)?;
            one_operator::end(tx, context, &council).map(drop)
        })
        .await;
    match done {
        Ok(()) => Ok(go(&format!("/console/councils/{name}/one-operator"))),
        Err(error) => ask_end(&app, &visitor, &name, &Errors::of(error)?).await,
    }
}
