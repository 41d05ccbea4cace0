//! The break-glass code: printed for the envelope, and used by whoever must act while nobody can sign in.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ServiceConfig, get, post};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use zeroize::Zeroizing;

use super::failure::Failure;
use super::form::{Errors, Field, Form, Sent};
use super::guard::Stranger;
use super::page::{Frame, Place, Question, draw};
use super::visitor::Visitor;
use super::{confirm, first_run, form_token, sign_in as door_page};
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{Actor, CONFIRM_FIRST, Permission};
use crate::operations::break_glass::{self, Breaker};
use crate::operations::{councils, passwords};
use crate::store;

/// Where the code is used, without an account.
const HERE: &str = "/console/break-glass";

/// The pages.
pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .route("/break-glass", get().to(show))
        .route("/break-glass", post().to(send))
        .route("/councils/{council}/break-glass", get().to(envelope))
        .route("/councils/{council}/break-glass", post().to(send_envelope));
}

fn page(app: &App, stranger: &Stranger, errors: &Errors) -> Result<Question> {
    let fields = vec![
        Field::line("code", "Code in the envelope")
            .hint("Sixteen letters and digits, as in 7K2M-X4QP-9TRW-3HCV.")
            .most(60)
            .short(),
        Field::line("name", "Your name").autocomplete("name").most(100),
        Field::line("login", "A sign-in name for yourself").autocomplete("username").most(100),
        Field::password("new_password", "A password", "new-password").hint(
            "At least 12 characters, or three words. Three words that do not belong together are easy to remember.",
        ),
        Field::password("again", "The password once more", "new-password"),
    ];
    let token = form_token::issue(&app.keys, &stranger.binding, HERE, app.clock.now())?;
    let form = Form::new(HERE, token, "Use the code").fields(fields).danger();
    Ok(Question::new(Frame::open("Use the break-glass code").with(errors), form)
        .back("/console/sign-in", "Sign in")
        .lead("For when something must be done and nobody who can sign in is there. It gives you a clerk's account of your own. Once you have set up your second factor you can report a phone lost, which locks it.")
        .warning("The code works once. Everyone who can sign in sees that it was used, and by whom; whoever has a mail address is told at once."))
}

/// GET: the form.
async fn show(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Failure> {
    page(&app, &door_page::stranger(&request)?, &Errors::default())?.answer()
}

async fn make(app: &App, stranger: &Stranger, sent: &Sent) -> Result<()> {
    let password = Zeroizing::new(sent.text("new_password"));
    if *password != sent.text("again") {
        return Err(Error::invalid("again", "The two passwords are not the same"));
    }
    let (now, from, code) = (app.clock.now(), stranger.address.clone(), sent.text("code"));
    let right =
        app.database.write("count a break-glass code", move |tx| break_glass::begin(tx, &code, &from, now)).await?;
    if !right {
        return Err(Error::forbidden("this is not a break-glass code"));
    }
    passwords::check_strength(&password, &sent.text("login"))?;
    let password_hash = passwords::hash(password).await?;
    let breaker = Breaker { name: sent.text("name"), login: sent.text("login"), password_hash };
    let (context, code) = (app.context(Actor::System), sent.text("code"));
    app.database.write("break-glass", move |tx| break_glass::spend(tx, &context, &code, &breaker).map(drop)).await
}

/// POST: makes the account and signs in.
async fn send(app: Data<App>, request: HttpRequest, sent: Sent) -> Result<HttpResponse, Failure> {
    let stranger = door_page::stranger(&request)?;
    if let Err(error) = make(&app, &stranger, &sent).await {
        let errors = first_run::wrong(error, "This is not the code, or it was used or replaced")?;
        let question = page(&app, &stranger, &errors)?;
        let form = question.form.map(|form| form.filled(&sent));
        return Question { form, ..question }.answer();
    }
    first_run::enter(&app, &request, &stranger, &sent).await
}

async fn ask(app: &App, visitor: &Visitor, name: &str, errors: &Errors) -> Result<HttpResponse, Failure> {
    let wanted = name.to_owned();
    let (place, made) = visitor
        .read(app, "break-glass code", move |tx, context| {
            let council = councils::permitted(tx, context, &wanted, Permission::Operators)?;
            Ok((Place::of(tx, &council)?, break_glass::show(tx, context, &council)?))
        })
        .await?;
    let action = format!("{}/break-glass", place.home());
    let button = if made.is_some() { "Make a new code" } else { "Make the code" };
    let form = Form::new(&action, visitor.token(app, &action)?, button);
    let standing = match &made {
        Some((at, by)) => format!("Made by {by} on {}", place.zone.when(at)),
        None => "There is no code".to_owned(),
    };
    let mut question = Question::new(Frame::new(app, visitor, "Break-glass code", Some(&place))?.with(errors), form)
        .back(format!("{}/settings", place.home()), "Settings")
        .lead(
            "A code to print and seal in an envelope, for the day on which a phone is lost and nobody who can sign in is there. \
             Whoever uses it gets a clerk's account in their own name, and everyone with a mail address is told at once.",
        )
        .lead("Keep the envelope where only the council's officers reach it, and look now and then whether it is unopened.")
        .fact("Now", standing);
    if made.is_some() {
        question = question.lead("The code in the envelope stops working when you make a new one.");
    }
    question.answer()
}

/// GET: whether there is a code, and the button.
async fn envelope(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    let name = path.into_inner();
    if !visitor.is_fresh(&app) {
        return Err(confirm::first(&format!("/console/councils/{name}/break-glass")));
    }
    ask(&app, &visitor, &name, &Errors::default()).await
}

#[derive(Template)]
#[template(path = "console/envelope.html")]
struct Envelope {
    frame: Frame,
    back: String,
    council: String,
    code: Zeroizing<String>,
    address: String,
    made: String,
}

/// POST: makes the code and shows it, once.
async fn send_envelope(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let name = path.into_inner();
    let wanted = name.clone();
    let done = visitor
        .change_with_secret(&app, &sent, "make break-glass code", move |tx, context| {
            let council = councils::permitted(tx, context, &wanted, Permission::Operators)?;
            let code = break_glass::make(tx, context, &council)?;
            Ok((council, code))
        })
        .await;
    let (council, code) = match done {
        Ok((council, Some(code))) => (council, code),
        // Sent again: it was shown once, and the page says that there is one.
        Ok((_, None)) => return ask(&app, &visitor, &name, &Errors::default()).await,
        Err(Error::Forbidden(words)) if words == CONFIRM_FIRST => {
            return Err(confirm::first(&format!("/console/councils/{name}/break-glass")));
        }
        Err(error) => return ask(&app, &visitor, &name, &Errors::of(error)?).await,
    };
    let row = visitor
        .read(&app, "show council", move |tx, _| store::councils::find(tx, &council)?.ok_or(Error::NotFound("council")))
        .await?;
    let address = format!("{}{HERE}", row.public_url.trim_end_matches('/'));
    let place = Place::from(row.clone());
    let envelope = Envelope {
        frame: Frame::new(&app, &visitor, "The break-glass code", Some(&place))?,
        back: format!("{}/settings", place.home()),
        council: row.name,
        code,
        address,
        made: place.zone.when(app.clock.now()),
    };
    draw(StatusCode::OK, &envelope)
}
