//! The first operator: the set-up code, a name and a password of one's own, and then on to the second factor.

use actix_web::http::header::{SET_COOKIE, USER_AGENT};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use zeroize::Zeroizing;

use crate::app::App;
use crate::error::{Error, Result};
use crate::keys::sha256_hex;
use crate::model::Actor;
use crate::operations::operators::{self, FirstOperator};
use crate::operations::passwords;
use crate::operations::sign_in::{self, Shown};
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::guard::Stranger;
use crate::web::console::page::{Frame, Question};
use crate::web::console::{cookie, form_token, sign_in as door_page};
use crate::web::sign_in as door;

/// Where the page is.
pub(in crate::web::console) const HERE: &str = "/console/set-up";

/// Whether there is an operator already, so that the set-up code is of no use any more.
pub(in crate::web::console) async fn is_set_up(app: &App) -> Result<bool> {
    app.database.read("is it set up", operators::is_set_up).await
}

fn page(app: &App, stranger: &Stranger, errors: &Errors) -> Result<Question> {
    let fields = vec![
        Field::line("code", "Set-up code")
            .hint("Twenty letters and digits in four groups. Beadle printed it when it was started for the first time.")
            .most(40),
        Field::line("name", "Your name").autocomplete("name"),
        Field::line("login", "A sign-in name for yourself")
            .hint("Short, and easy to remember: wenna, for example.")
            .autocomplete("username")
            .most(100),
        Field::password("new_password", "A password", "new-password").hint(
            "At least 12 characters, or three words. Three words that do not belong together are easy to remember.",
        ),
        Field::password("again", "The password once more", "new-password"),
    ];
    let token = form_token::issue(&app.keys, &stranger.binding, HERE, app.clock.now())?;
    let form = Form::new(HERE, token, "Make my account").fields(fields);
    let frame = Frame::open("Set up Beadle").with(errors);
    Ok(Question::new(frame, form)
        .lead("Make the first account. It looks after this server and all councils on it, and can make accounts for others.")
        .lead("The code works once. If it is lost, whoever runs the server can make a new one with beadle set-up-code."))
}

/// GET: the form; once there is an operator, the way to sign in.
pub(in crate::web::console) async fn show(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let stranger = door_page::stranger(&request)?;
    if is_set_up(&app).await? {
        return Ok(go("/console/sign-in"));
    }
    page(&app, &stranger, &Errors::default())?.answer()
}

async fn make(app: &App, stranger: &Stranger, sent: &Sent) -> Result<()> {
    let password = Zeroizing::new(sent.text("new_password"));
    if *password != sent.text("again") {
        return Err(Error::invalid("again", "The two passwords are not the same"));
    }
    // A guess has to wait like any other, and before the costly hash; the code has a hundred random bits besides.
    let (now, from) = (app.clock.now(), stranger.address.clone());
    app.database.write("count a set-up", move |tx| sign_in::begin(tx, "set-up code", &from, now).map(drop)).await?;
    passwords::check_strength(&password, &sent.text("login"))?;
    let password_hash = passwords::hash(password).await?;
    let code_hash = sha256_hex(sent.text("code").trim().to_uppercase().as_bytes());
    let first = FirstOperator {
        council: None,
        login: sent.text("login"),
        name: sent.text("name"),
        password_hash,
        own_password: true,
    };
    let context = app.context(Actor::System);
    app.database.write("set up", move |tx| operators::set_up(tx, &context, &code_hash, &first).map(drop)).await
}

/// POST: makes the account and signs in.
pub(in crate::web::console) async fn send(
    app: Data<App>,
    request: HttpRequest,
    sent: Sent,
) -> Result<HttpResponse, Failure> {
    let stranger = door_page::stranger(&request)?;
    match make(&app, &stranger, &sent).await {
        Ok(()) => {}
        Err(error) => {
            let errors = wrong(error, "This is not the set-up code")?;
            let question = page(&app, &stranger, &errors)?;
            let form = question.form.map(|form| form.filled(&sent));
            return Question { form, ..question }.answer();
        }
    }
    enter(&app, &request, &stranger, &sent).await
}

/// What is wrong with an account that somebody makes for himself with a code; `code` says so of the code itself.
pub(in crate::web::console) fn wrong(error: Error, code: &str) -> Result<Errors, Failure> {
    Ok(match error {
        Error::Forbidden(_) => Errors::one("code", code),
        Error::Invalid { field, problem } => {
            let subject = match field.as_str() {
                "new_password" => "The password ",
                "login" => "The sign-in name ",
                "name" => "Your name ",
                _ => "",
            };
            Errors::one(&field, &format!("{subject}{problem}"))
        }
        other => Errors::of(other)?,
    })
}

/// Signs in whoever has just made himself an account.
pub(in crate::web::console) async fn enter(
    app: &App,
    request: &HttpRequest,
    stranger: &Stranger,
    sent: &Sent,
) -> Result<HttpResponse, Failure> {
    let agent = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let shown = Shown { password: Zeroizing::new(sent.text("new_password")), totp: None, recovery_code: None };
    let opened = door::sign_in(app, &sent.text("login"), &shown, &stranger.address, agent).await?;
    let mut answer = go("/console");
    answer.headers_mut().append(SET_COOKIE, cookie::set(cookie::SESSION, &opened.token)?);
    Ok(answer)
}
