//! One's own passkeys: which there are, their names, and away with one.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;

use super::NEW;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{CONFIRM_FIRST, PasskeyId};
use crate::operations::passkeys;
use crate::store::passkeys::PasskeyRow;
use crate::web::console::confirm;
use crate::web::console::dates::Zone;
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::page::{Frame, Question, draw};
use crate::web::console::visitor::Visitor;

const LIST: &str = "/console/account/passkeys";

#[derive(Template)]
#[template(path = "console/passkeys.html")]
struct List {
    frame: Frame,
    passkeys: Vec<PasskeyRow>,
    zone: Zone,
    new: &'static str,
}

/// GET: all of them.
pub(super) async fn show(app: Data<App>, visitor: Visitor) -> Result<HttpResponse, Failure> {
    let passkeys = visitor.read(&app, "own passkeys", passkeys::list).await?;
    let frame = Frame::new(&app, &visitor, "Your passkeys", None)?;
    draw(StatusCode::OK, &List { frame, passkeys, zone: Zone::default(), new: NEW })
}

async fn found(app: &App, visitor: &Visitor, id: &PasskeyId) -> Result<PasskeyRow> {
    let id = id.clone();
    visitor.read(app, "own passkey", move |tx, context| passkeys::one(tx, context, &id)).await
}

async fn name_page(
    app: &App,
    visitor: &Visitor,
    id: &PasskeyId,
    errors: &Errors,
    entered: Option<&Sent>,
) -> Result<HttpResponse, Failure> {
    let passkey = found(app, visitor, id).await?;
    let action = format!("{LIST}/{id}/name");
    let zone = Zone::default();
    let field = Field::line("name", "What is it on?").value(&passkey.name).most(60);
    let mut form = Form::new(&action, visitor.token(app, &action)?, "Keep this name").fields(vec![field]);
    if let Some(sent) = entered {
        form = form.filled(sent);
    }
    let frame = Frame::new(app, visitor, "A passkey", None)?.with(errors);
    Question::new(frame, form)
        .back(LIST, "Your passkeys")
        .fact("Made", zone.when(passkey.created_at))
        .fact("Last used", zone.when_or(&passkey.last_used_at, "Not used yet"))
        .fact("Works at", passkey.address)
        .link(format!("{LIST}/{id}/remove"), "Remove this passkey")
        .answer()
}

/// GET: one, with its name.
pub(super) async fn one(app: Data<App>, visitor: Visitor, path: Path<PasskeyId>) -> Result<HttpResponse, Failure> {
    name_page(&app, &visitor, &path, &Errors::default(), None).await
}

/// POST: gives it another name.
pub(super) async fn rename(
    app: Data<App>,
    visitor: Visitor,
    path: Path<PasskeyId>,
    sent: Sent,
) -> Result<HttpResponse, Failure> {
    let (id, name) = (path.clone(), sent.text("name"));
    let done = visitor
        .change(&app, &sent, "name a passkey", move |tx, context| passkeys::rename(tx, context, &id, &name))
        .await;
    match done {
        Ok(()) => Ok(go(LIST)),
        Err(error) => name_page(&app, &visitor, &path, &Errors::of(error)?, Some(&sent)).await,
    }
}

async fn remove_page(app: &App, visitor: &Visitor, id: &PasskeyId, errors: &Errors) -> Result<HttpResponse, Failure> {
    let passkey = found(app, visitor, id).await?;
    let action = format!("{LIST}/{id}/remove");
    let form = Form::new(&action, visitor.token(app, &action)?, "Remove this passkey").danger();
    let frame = Frame::new(app, visitor, "Remove this passkey?", None)?.with(errors);
    Question::new(frame, form)
        .back(LIST, "Your passkeys")
        .fact("Passkey", passkey.name)
        .lead("Nobody can sign in with it from then on. Sign-ins that are open stay open.")
        .lead("If you approve orders, you can do so again after 72 hours.")
        .answer()
}

/// GET: whether it is to be removed.
pub(super) async fn ask(app: Data<App>, visitor: Visitor, path: Path<PasskeyId>) -> Result<HttpResponse, Failure> {
    if !visitor.is_fresh(&app) {
        return Err(confirm::first(&format!("{LIST}/{path}/remove")));
    }
    remove_page(&app, &visitor, &path, &Errors::default()).await
}

/// POST: removes it.
pub(super) async fn remove(
    app: Data<App>,
    visitor: Visitor,
    path: Path<PasskeyId>,
    sent: Sent,
) -> Result<HttpResponse, Failure> {
    let id = path.clone();
    let done =
        visitor.change(&app, &sent, "remove a passkey", move |tx, context| passkeys::remove(tx, context, &id)).await;
    match done {
        Ok(()) => Ok(go(LIST)),
        Err(Error::Forbidden(words)) if words == CONFIRM_FIRST => Err(confirm::first(&format!("{LIST}/{path}/remove"))),
        Err(error) => remove_page(&app, &visitor, &path, &Errors::of(error)?).await,
    }
}
