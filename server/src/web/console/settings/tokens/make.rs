//! A new token, which is shown once and never again, not even to a form that is sent again.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;
use chrono::Duration;
use zeroize::Zeroizing;

use super::{SCOPES, place_of};
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::TokenScope;
use crate::operations::tokens;
use crate::web::console::failure::Failure;
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::page::{Frame, Place, Question, draw};
use crate::web::console::visitor::Visitor;

const LABELS: [(&str, &str); 1] = [("name", "What it is for")];

#[derive(Template)]
#[template(path = "console/token_made.html")]
struct Made {
    frame: Frame,
    name: String,
    until: String,
    token: Zeroizing<String>,
    next: String,
}

fn page(app: &App, visitor: &Visitor, place: &Place, errors: &Errors) -> Result<Question> {
    let action = format!("{}/new", place_of(place));
    let ticks = SCOPES.map(|(name, words, _)| (name, words));
    let fields = vec![
        Field::line("name", "What is it for?").hint("For example: nightly list of phones for the county.").most(100),
        Field::ticks("scopes", "What may the program do?", &ticks).hint("Tick only what it needs."),
        Field::choice(
            "hours",
            "How long does it work?",
            &[("1", "One hour"), ("8", "Eight hours"), ("24", "24 hours, the longest there is")],
        )
        .value("1"),
    ];
    let form = Form::new(&action, visitor.token(app, &action)?, "Make the token").fields(fields);
    let frame = Frame::new(app, visitor, "Make a token for a program", Some(place))?.with(errors);
    Ok(Question::new(frame, form)
        .back(place_of(place), "Tokens for programs")
        .lead("The token stands for you: the audit trail says that you made it, and it ends when your account does. Whoever has it \
               can do with it what you tick here."))
}

/// GET: the form.
pub(in crate::web::console::settings) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let place = super::council_of(&app, &visitor, &path.into_inner()).await?;
    page(&app, &visitor, &place, &Errors::default())?.answer()
}

fn life(sent: &Sent) -> Result<Duration> {
    match sent.text("hours").as_str() {
        "1" => Ok(Duration::hours(1)),
        "8" => Ok(Duration::hours(8)),
        "24" => Ok(Duration::hours(24)),
        _ => Err(Error::invalid("hours", "Choose one")),
    }
}

/// Makes it; nothing where the form was sent before.
async fn make(app: &App, visitor: &Visitor, sent: &Sent, place: &Place) -> Result<Option<Zeroizing<String>>> {
    let life = life(sent)?;
    let scopes: Vec<TokenScope> =
        SCOPES.iter().filter(|(name, _, _)| sent.given(name).is_some()).map(|(_, _, scope)| *scope).collect();
    if scopes.is_empty() {
        return Err(Error::invalid("scopes", "Tick at least one"));
    }
    let (council, name) = (place.id.clone(), sent.text("name"));
    let ((), token) = visitor
        .change_with_secret(app, sent, "issue token", move |tx, context| {
            let (_, token) = tokens::issue(tx, context, &council, &name, &scopes, Some(life))?;
            Ok(((), token))
        })
        .await?;
    Ok(token)
}

/// POST: makes it, and shows it once.
pub(in crate::web::console::settings) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let place = super::council_of(&app, &visitor, &path.into_inner()).await?;
    let next = place_of(&place);
    match make(&app, &visitor, &sent, &place).await {
        Ok(Some(token)) => {
            let until = place.zone.when(app.clock.now() + life(&sent)?);
            let frame = Frame::new(&app, &visitor, "Copy this token now", Some(&place))?;
            draw(StatusCode::OK, &Made { frame, name: sent.text("name"), until, token, next })
        }
        Ok(None) => Question::plain(Frame::new(&app, &visitor, "This token was made already", Some(&place))?)
            .lead("It was shown once, and is not shown again. If you have not copied it, end it and make another one.")
            .link(next, "Tokens for programs")
            .answer(),
        Err(error) => {
            let errors = Errors::of(error)?.named(&LABELS);
            page(&app, &visitor, &place, &errors)?.filled(&sent).answer()
        }
    }
}
