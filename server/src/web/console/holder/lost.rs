//! Entering the code, the one button, and what the council can see.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::App;
use crate::error::{Error, Result};
use crate::keys::random_bytes;
use crate::model::{Actor, Sight};
use crate::operations::cases::TimelineEntry;
use crate::operations::report_codes::{self, Held, Record};
use crate::web::console::dates::Zone;
use crate::web::console::failure::{Failure, sentence};
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::form_token;
use crate::web::console::guard::Stranger;
use crate::web::console::page::{Frame, Question, draw};
use crate::web::console::sign_in::stranger;

const HERE: &str = "/lost";
const REPORT: &str = "/lost/report";
const PHONE: &str = "/lost/phone";

fn form(app: &App, stranger: &Stranger, action: &str, button: &str) -> Result<Form> {
    Ok(Form::new(action, form_token::issue(&app.keys, &stranger.binding, action, app.clock.now())?, button))
}

fn ask(app: &App, stranger: &Stranger, errors: &Errors) -> Result<HttpResponse, Failure> {
    let field = Field::line("code", "Code on your card")
        .hint("Sixteen letters and digits, as in 7K2M-X4QP-9TRW-3HCV.")
        .most(60)
        .short();
    let form = form(app, stranger, HERE, "Continue")?.fields(vec![field]);
    Question::new(Frame::open("Is your council phone lost?").with(errors), form)
        .lead("Enter the code on the card that you were given with the phone. You need no password.")
        .lead("If you do not have the card, ring the council's office, or any colleague with an account.")
        .answer()
}

/// GET: the form for the code.
pub(super) async fn show(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Failure> {
    ask(&app, &stranger(&request)?, &Errors::default())
}

/// What the code that was sent opens; a wrong one gets the form again, no sooner than a right one.
async fn opened(app: &App, stranger: &Stranger, sent: &Sent) -> Result<Result<Held, HttpResponse>, Failure> {
    let (code, from, now) = (sent.text("code"), stranger.address.clone(), app.clock.now());
    let tried = app.database.write("count a card's code", move |tx| report_codes::begin(tx, &code, &from, now)).await;
    let errors = match tried {
        Ok(tried) => match tried.held {
            Some(held) => return Ok(Ok(held)),
            None => {
                let [random] = random_bytes::<1>()?;
                tokio::time::sleep(Duration::from_millis(100 + u64::from(random))).await;
                Errors::one("code", "This is not the code of a phone in use. Look at the card again")
            }
        },
        Err(error) => Errors::of(error)?,
    };
    Ok(Err(ask(app, stranger, &errors)?))
}

fn frame(title: String, held: &Held) -> (Frame, String) {
    (Frame::open(title), held.council.name.clone())
}

/// POST: which phone it is, and what the button does.
pub(super) async fn enter(app: Data<App>, request: HttpRequest, sent: Sent) -> Result<HttpResponse, Failure> {
    let stranger = stranger(&request)?;
    let held = match opened(&app, &stranger, &sent).await? {
        Ok(held) => held,
        Err(again) => return Ok(again),
    };
    let (frame, council) = frame(format!("Report {} lost", held.asset.tag), &held);
    let code = sent.text("code");
    let page = Item {
        frame,
        council,
        tag: held.asset.tag.clone(),
        kind: held.asset.kind.clone(),
        report: form(&app, &stranger, REPORT, "Lock it now and report it lost")?.hidden("code", &code),
        phone: form(&app, &stranger, PHONE, "See what the council can see of it")?.hidden("code", &code).second(),
    };
    draw(StatusCode::OK, &page)
}

#[derive(Template)]
#[template(path = "console/holder_item.html")]
struct Item {
    frame: Frame,
    council: String,
    tag: String,
    kind: String,
    report: Form,
    phone: Form,
}

/// POST: reports and locks.
pub(super) async fn report(app: Data<App>, request: HttpRequest, sent: Sent) -> Result<HttpResponse, Failure> {
    let stranger = stranger(&request)?;
    let held = match opened(&app, &stranger, &sent).await? {
        Ok(held) => held,
        Err(again) => return Ok(again),
    };
    let (code, key, hash) = (sent.text("code"), format!("form {}", sent.nonce), sent.hash.clone());
    let context = app.context(Actor::System);
    let told = app
        .database
        .write("holder reports loss", move |tx| report_codes::report(tx, &context, &code, &key, &hash))
        .await;
    let told = match told {
        Ok(told) => told,
        Err(Error::Unauthenticated(_)) => {
            let errors = Errors::one("code", "This is not the code of a phone in use. Look at the card again");
            return ask(&app, &stranger, &errors);
        }
        Err(error) => return Err(error.into()),
    };
    let frame = Frame::open(format!("{} is reported lost", held.asset.tag));
    let page = Question::plain(frame).fact("Council", held.council.name.clone()).fact("Item", held.asset.tag.clone());
    let page = if told.lock_ordered {
        page.lead(
            "The lock was ordered. It reaches the phone when that is switched on and connected; only the phone itself confirms \
             that it is locked, and the office sees when it does.",
        )
    } else {
        page.warning("This item cannot be locked from here. Ring the mobile network and have the SIM barred.")
    };
    let page = told.warnings.into_iter().fold(page, |page, warning| page.lead(sentence(&warning)));
    page.lead("The council's office sees it on its first page. Nothing was erased: only the council decides that.")
        .lead("Ring the office as soon as it is open. If the phone was stolen, tell the police too.")
        .lead("If you find the phone again, tell the office: they end the lock.")
        .answer()
}

#[derive(Template)]
#[template(path = "console/holder_phone.html")]
struct Phone {
    frame: Frame,
    council: String,
    tag: String,
    zone: Zone,
    lists: Vec<(&'static str, Vec<&'static str>)>,
    last_seen: String,
    history: Vec<TimelineEntry>,
}

fn lists(sight: Option<Sight>) -> Vec<(&'static str, Vec<&'static str>)> {
    sight.map_or_else(Vec::new, |sight| {
        vec![
            ("What the council can see", sight.can_see),
            ("What it cannot see", sight.cannot_see),
            ("What it can do", sight.can_do),
            ("What it cannot do", sight.cannot_do),
        ]
    })
}

/// POST: what the council can see and has done.
pub(super) async fn phone(app: Data<App>, request: HttpRequest, sent: Sent) -> Result<HttpResponse, Failure> {
    let stranger = stranger(&request)?;
    let held = match opened(&app, &stranger, &sent).await? {
        Ok(held) => held,
        Err(again) => return Ok(again),
    };
    let asked = held.clone();
    let Record { sight, last_seen_at, history } =
        app.database.read("holder's record", move |tx| report_codes::record(tx, &asked)).await?;
    let zone = Zone::named(&held.council.time_zone);
    let (frame, council) = frame(format!("{}: what the council can see and has done", held.asset.tag), &held);
    let page = Phone {
        frame,
        council,
        tag: held.asset.tag,
        zone,
        lists: lists(sight),
        last_seen: zone.when_or(&last_seen_at, "Never"),
        history,
    };
    draw(StatusCode::OK, &page)
}
