//! The council's connection to Google, and the installation's project there.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use zeroize::Zeroizing;

use crate::app::App;
use crate::error::{Error, Result};
use crate::google;
use crate::model::{CONFIRM_FIRST, Permission, Role};
use crate::operations::android::connect::{self, GoogleStatus};
use crate::web::console::confirm;
use crate::web::console::failure::Failure;
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::page::{Frame, Place, Question};
use crate::web::console::visitor::Visitor;

const PROJECT: &str = "/console/settings/google";

/// GET: where the connection stands, and the way on.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    let (council, place) = super::council_of(&app, &visitor, &path.into_inner()).await?;
    let status =
        visitor.read(&app, "google status", move |tx, context| connect::status(tx, context, &council.id)).await?;
    page(&app, &visitor, &place, &status, &Errors::default())?.answer()
}

fn page(app: &App, visitor: &Visitor, place: &Place, status: &GoogleStatus, errors: &Errors) -> Result<Question> {
    let frame = Frame::new(app, visitor, "Connect to Google", Some(place))?.with(errors);
    let here = format!("{}/google", place.home());
    let back = format!("{}/set-up", place.home());
    if let Some(enterprise) = &status.enterprise {
        let since = status.connected_at.map(|at| place.zone.when(at)).unwrap_or_default();
        let reconciled = status.reconciled_at.map_or_else(|| "Not yet".to_owned(), |at| place.zone.when(at));
        return Ok(Question::plain(frame)
            .back(back, "Getting started")
            .lead("The council is connected: Android phones can be invited.")
            .fact("Enterprise at Google", enterprise)
            .fact("Connected since", since)
            .fact("Compared with Google last", reconciled));
    }
    if status.project.is_none() {
        let question = Question::plain(frame).back(back, "Getting started").lead(
            "Android phones are managed through Google. This server is not connected to a project at Google yet.",
        );
        return Ok(if visitor.signed_in.role == Role::Provider {
            question.link(PROJECT, "Connect this server to a project at Google")
        } else {
            question.lead("Your provider does that, once for all councils.")
        });
    }
    let form = Form::new(&here, visitor.token(app, &here)?, "Begin");
    Ok(Question::new(frame, form)
        .back(back, "Getting started")
        .lead("Android phones are managed through Google. The council gets an enterprise of its own there.")
        .lead(
            "Have a Google Account ready that belongs to the council and will not be lost with a person: it owns the \
             enterprise.",
        ))
}

/// POST: begins at Google; the page leads there.
pub(super) async fn sign_up(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
    _: Sent,
) -> Result<HttpResponse, Failure> {
    let (council, place) = super::council_of(&app, &visitor, &path.into_inner()).await?;
    let id = council.id.clone();
    let status = visitor.read(&app, "google status", move |tx, context| connect::status(tx, context, &id)).await?;
    match google::begin_sign_up(&app, app.context(visitor.actor()), council.id).await {
        // The page's own policy lets no form lead to another place, so it is a link.
        Ok(url) => Question::plain(Frame::new(&app, &visitor, "Go on at Google", Some(&place))?)
            .lead("Open Google\u{2019}s page within two hours, signed in with the council\u{2019}s Google Account.")
            .lead("At its end it leads back here, and the connection is finished.")
            .link(url, "Open Google\u{2019}s page")
            .answer(),
        Err(Error::Forbidden(words)) if words == CONFIRM_FIRST => {
            Err(confirm::first(&format!("{}/google", place.home())))
        }
        Err(error) => page(&app, &visitor, &place, &status, &Errors::of(error)?)?.answer(),
    }
}

fn project_page(app: &App, visitor: &Visitor, errors: &Errors) -> Result<Question> {
    visitor.actor().require_installation(Permission::Installation)?;
    let key = Field::lines("key_file", "The key file of the service account")
        .hint("The JSON file that Google\u{2019}s console gave. Copy all of its text into this box. It is kept sealed and never shown again.")
        .most(20_000);
    let form = Form::new(PROJECT, visitor.token(app, PROJECT)?, "Try it and keep it").fields(vec![key]);
    Ok(Question::new(Frame::new(app, visitor, "Connect this server to Google", None)?.with(errors), form)
        .back("/console", "Councils")
        .lead("One project at Google serves every council of this server. Google must have approved it for device management.")
        .lead("Make a service account in it with the role Android Management User, and a key for it."))
}

/// GET: the form for the project's key; a confirmation first, so that the key is not pasted twice.
pub(super) async fn show_project(app: Data<App>, visitor: Visitor) -> Result<HttpResponse, Failure> {
    visitor.actor().require_installation(Permission::Installation)?;
    if !visitor.is_fresh(&app) {
        return Err(confirm::first(PROJECT));
    }
    project_page(&app, &visitor, &Errors::default())?.answer()
}

/// POST: tries the key at Google, and keeps it.
pub(super) async fn send_project(app: Data<App>, visitor: Visitor, sent: Sent) -> Result<HttpResponse, Failure> {
    visitor.actor().require_installation(Permission::Installation)?;
    let key = Zeroizing::new(sent.text("key_file").into_bytes());
    match google::connect_project(&app, app.context(visitor.actor()), key).await {
        Ok(project) => Question::plain(Frame::new(&app, &visitor, "Connected to Google", None)?)
            .back("/console", "Councils")
            .lead("Google took the key. Each council can be connected now.")
            .fact("Project", project)
            .answer(),
        Err(Error::Invalid { problem, .. }) => {
            let errors = Errors::one("key_file", &format!("The key file {problem}"));
            project_page(&app, &visitor, &errors)?.answer()
        }
        Err(Error::Forbidden(words)) if words == CONFIRM_FIRST => Err(confirm::first(PROJECT)),
        Err(error) => project_page(&app, &visitor, &Errors::of(error)?)?.answer(),
    }
}
