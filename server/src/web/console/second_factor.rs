//! Setting up an authenticator app, and the recovery codes that are shown once.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use qrcode::QrCode;
use qrcode::render::svg;

use super::confirm;
use super::failure::Failure;
use super::form::{Errors, Field, Form, Sent};
use super::page::{Frame, Question, draw};
use super::passkeys;
use super::visitor::Visitor;
use crate::app::App;
use crate::error::{Error, Result};
use crate::operations::accounts;

const HERE: &str = "/console/account/second-factor";
const CODE: &str = "/console/account/second-factor/code";
const CODES: &str = "/console/account/recovery-codes";

/// GET: what it is and what one needs for it.
pub(super) async fn show(app: Data<App>, visitor: Visitor) -> Result<HttpResponse, Failure> {
    // Whoever has one shows it before it is replaced.
    if visitor.signed_in.mfa && !visitor.is_fresh(&app) {
        return Err(confirm::first(HERE));
    }
    let form = Form::new(HERE, visitor.token(&app, HERE)?, "Continue");
    let frame = Frame::new(&app, &visitor, "Set up an authenticator app", None)?;
    Question::new(frame, form)
        .link(passkeys::NEW, "Add a passkey instead: sign in with your finger, your face or a PIN")
        .lead("Beadle can erase phones, so a password alone is not enough. An app on your own phone shows a new code every \
               half minute; you enter it when you sign in.")
        .lead("Any authenticator app will do: your phone may have one built in, and app shops have several without charge. \
               Have it ready, then continue.")
        .answer()
}

#[derive(Template)]
#[template(path = "console/second_factor.html")]
struct Scan {
    frame: Frame,
    picture: Option<String>,
    secret: String,
    form: Form,
}

fn code_form(app: &App, visitor: &Visitor) -> Result<Form> {
    let field = Field::code("code", "Code").hint("The 6 digits that the app shows now.");
    Ok(Form::new(CODE, visitor.token(app, CODE)?, "Continue").fields(vec![field]))
}

/// The code as a picture without any style of its own, which the pages' policy forbids.
pub(super) fn picture(link: &str) -> Option<String> {
    let code = QrCode::new(link.as_bytes()).ok()?;
    let svg = code.render::<svg::Color<'_>>().min_dimensions(240, 240).quiet_zone(true).build();
    svg.split_once("<svg").map(|(_, picture)| format!("<svg role=\"img\" aria-label=\"Code to scan\"{picture}"))
}

/// POST: makes a secret and shows it, once.
pub(super) async fn begin(app: Data<App>, visitor: Visitor, sent: Sent) -> Result<HttpResponse, Failure> {
    let begun = visitor
        .change(&app, &sent, "begin second factor", |tx, context| {
            let begun = accounts::begin_second_factor(tx, context)?;
            Ok((begun.link.to_string(), begun.secret.to_string()))
        })
        .await;
    let (link, secret) = match begun {
        Ok(begun) => begun,
        Err(Error::Forbidden(words)) if words == crate::model::CONFIRM_FIRST => return Err(confirm::first(HERE)),
        Err(error) => return Err(error.into()),
    };
    let letters: Vec<char> = secret.chars().collect();
    let secret = letters.chunks(4).map(|part| part.iter().collect::<String>()).collect::<Vec<_>>().join(" ");
    let frame = Frame::new(&app, &visitor, "Scan this code with your app", None)?;
    draw(StatusCode::OK, &Scan { frame, picture: picture(&link), secret, form: code_form(&app, &visitor)? })
}

fn code_page(app: &App, visitor: &Visitor, errors: &Errors) -> Result<Question> {
    let frame = Frame::new(app, visitor, "Enter the code that your app shows", None)?.with(errors);
    Ok(Question::new(frame, code_form(app, visitor)?).link(HERE, "Start again with a new code to scan"))
}

/// GET: the form for the first code alone.
pub(super) async fn code(app: Data<App>, visitor: Visitor) -> Result<HttpResponse, Failure> {
    code_page(&app, &visitor, &Errors::default())?.answer()
}

#[derive(Template)]
#[template(path = "console/recovery_codes.html")]
struct Codes {
    frame: Frame,
    codes: Vec<String>,
}

pub(super) fn codes_page(app: &App, visitor: &Visitor, codes: Vec<String>) -> Result<HttpResponse, Failure> {
    let frame = Frame::new(app, visitor, "Print your recovery codes", None)?;
    draw(StatusCode::OK, &Codes { frame, codes })
}

/// POST: ends the set-up, and shows the recovery codes.
pub(super) async fn send_code(app: Data<App>, visitor: Visitor, sent: Sent) -> Result<HttpResponse, Failure> {
    let code = sent.text("code");
    let done = visitor
        .change(&app, &sent, "confirm second factor", move |tx, context| {
            let codes = accounts::confirm_second_factor(tx, context, &code)?;
            Ok(codes.iter().map(|code| code.to_string()).collect::<Vec<String>>())
        })
        .await;
    match done {
        Ok(codes) => codes_page(&app, &visitor, codes),
        Err(Error::Invalid { .. }) => {
            let words =
                "This is not the code that the app shows now. Wait for the next one, and check the clock of the phone";
            code_page(&app, &visitor, &Errors::one("code", words))?.answer()
        }
        Err(error) => code_page(&app, &visitor, &Errors::of(error)?)?.answer(),
    }
}

/// GET: what new codes do to the old ones.
pub(super) async fn renew(app: Data<App>, visitor: Visitor) -> Result<HttpResponse, Failure> {
    if !visitor.is_fresh(&app) {
        return Err(confirm::first(CODES));
    }
    let form = Form::new(CODES, visitor.token(&app, CODES)?, "Make new recovery codes");
    let frame = Frame::new(&app, &visitor, "New recovery codes", None)?;
    Question::new(frame, form).lead("The codes that you have now stop working at once.").answer()
}

/// POST: makes new ones and shows them, once.
pub(super) async fn send_renew(app: Data<App>, visitor: Visitor, sent: Sent) -> Result<HttpResponse, Failure> {
    let done = visitor
        .change(&app, &sent, "renew recovery codes", |tx, context| {
            let codes = accounts::renew_recovery_codes(tx, context)?;
            Ok(codes.iter().map(|code| code.to_string()).collect::<Vec<String>>())
        })
        .await;
    match done {
        Ok(codes) => codes_page(&app, &visitor, codes),
        Err(Error::Forbidden(words)) if words == crate::model::CONFIRM_FIRST => Err(confirm::first(CODES)),
        Err(error) => Err(error.into()),
    }
}
