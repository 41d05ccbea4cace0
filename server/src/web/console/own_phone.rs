//! "My own phone is the lost one": one page, one button, and what comes afterwards.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query, ServiceConfig, get, post};
use askama::Template;
use serde::Deserialize;

use super::confirm;
use super::failure::{Failure, go};
use super::form::{Errors, Sent};
use super::page::{Frame, Question, draw};
use super::passkeys;
use super::visitor::Visitor;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{AssetId, CONFIRM_FIRST, CaseId};
use crate::operations::own_phone::{self, Mine};

pub(super) const HERE: &str = "/console/account/own-phone";
const DONE: &str = "/console/account/own-phone/done";

/// Its two pages.
pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .route("/account/own-phone", get().to(show))
        .route("/account/own-phone", post().to(send))
        .route("/account/own-phone/done", get().to(done));
}

/// A phone that may be the one.
struct Phone {
    id: AssetId,
    tag: String,
    item: String,
}

#[derive(Template)]
#[template(path = "console/own_phone.html")]
struct Page {
    frame: Frame,
    phones: Vec<Phone>,
    action: &'static str,
    token: String,
}

async fn page(app: &App, visitor: &Visitor, errors: &Errors) -> Result<HttpResponse, Failure> {
    let found = visitor.read(app, "own phones", own_phone::candidates).await?;
    let phones = found
        .into_iter()
        .map(|listed| Phone {
            item: format!("{} {}", listed.asset.make, listed.asset.model).trim().to_owned(),
            id: listed.asset.id,
            tag: listed.asset.tag,
        })
        .collect();
    let frame = Frame::new(app, visitor, "My own phone is the lost one", None)?.with(errors);
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    draw(status, &Page { frame, phones, action: HERE, token: visitor.token(app, HERE)? })
}

/// GET: what will happen, and the button.
async fn show(app: Data<App>, visitor: Visitor) -> Result<HttpResponse, Failure> {
    if !visitor.is_fresh(&app) {
        return Err(confirm::first(HERE));
    }
    page(&app, &visitor, &Errors::default()).await
}

/// POST: does it.
async fn send(app: Data<App>, visitor: Visitor, sent: Sent) -> Result<HttpResponse, Failure> {
    let mine = Mine { asset: sent.given("asset").map(AssetId::from), app: sent.text("app") != "no" };
    let lost =
        visitor.change(&app, &sent, "own phone lost", move |tx, context| own_phone::lose(tx, context, &mine)).await;
    match lost {
        Ok(Some(case)) => Ok(go(&format!("{DONE}?case={case}"))),
        Ok(None) => Ok(go(DONE)),
        Err(Error::Forbidden(words)) if words == CONFIRM_FIRST => Err(confirm::first(HERE)),
        Err(Error::NotFound(what)) => Err(Error::NotFound(what).into()),
        Err(error) => page(&app, &visitor, &Errors::of(error)?).await,
    }
}

/// The loss that was just reported.
#[derive(Deserialize)]
struct Asked {
    case: Option<CaseId>,
}

/// GET: what comes next.
async fn done(app: Data<App>, visitor: Visitor, asked: Query<Asked>) -> Result<HttpResponse, Failure> {
    let frame = Frame::new(&app, &visitor, "Nobody can sign in with that phone now", None)?;
    let case =
        asked.into_inner().case.filter(|case| case.as_str().bytes().all(|byte| b"-0123456789abcdef".contains(&byte)));
    let question = Question::plain(frame).lead(
        "Your other sign-ins were ended, and the passkeys of your account were removed. You stay signed in here.",
    );
    let question = match case {
        Some(case) => question
            .lead("The phone was reported lost. The page of the loss shows whether it could be locked, and whether it has confirmed that.")
            .link(format!("/console/losses/{case}"), "Go on with this loss"),
        None => question
            .lead("No phone was locked yet. If the phone is on the register, report it lost now.")
            .link("/console", "Report the phone lost"),
    };
    question
        .lead("Set up a new second factor before you sign out. Until then only your password with a recovery code signs you in.")
        .link(passkeys::NEW, "Add a passkey on this device")
        .link("/console/account/second-factor", "Set up an authenticator app on another phone")
        .link("/console/account/password", "Change your password, if it was kept on that phone")
        .answer()
}
