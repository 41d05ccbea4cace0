//! From an empty installation to a council whose phones are looked after: steps that can be left and gone on with at any time.

mod apple;
mod council;
mod google;
mod steps;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, ServiceConfig, get, post};

use super::failure::Failure;
use super::page::{Frame, Place, Question};
use super::visitor::Visitor;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::Permission;
use crate::operations::councils;
use crate::store;
use crate::store::councils::Council;

/// The pages about getting started.
pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .route("/add-council", get().to(council::show))
        .route("/add-council", post().to(council::send))
        .route("/councils/{council}/set-up", get().to(steps::show))
        .route("/councils/{council}/settings", get().to(settings))
        .route("/councils/{council}/apple", get().to(apple::show))
        .route("/councils/{council}/apple", post().to(apple::import))
        .route("/councils/{council}/apple/request", post().to(apple::request))
        .route("/councils/{council}/google", get().to(google::show))
        .route("/councils/{council}/google", post().to(google::sign_up))
        .route("/settings/google", get().to(google::show_project))
        .route("/settings/google", post().to(google::send_project));
}

/// GET: where everything is that is set once and looked at seldom.
async fn settings(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    let (_, place) = council_of(&app, &visitor, &path.into_inner()).await?;
    let home = place.home();
    Question::plain(Frame::new(&app, &visitor, "Settings", Some(&place))?)
        .link(format!("{home}/set-up"), "What is done and what is left")
        .link(format!("{home}/details"), "The council\u{2019}s details: its name and time zone")
        .link(format!("{home}/policy"), "The policy")
        .link(format!("{home}/operators"), "Operators: who may sign in, and who approves")
        .link(format!("{home}/one-operator"), "One-operator working: where there is nobody to approve")
        .link(format!("{home}/break-glass"), "Break-glass code: for the envelope")
        .link(super::settings::limits_of(&place), "Limits on erasing: how many phones in a day, and thawing")
        .link(format!("{home}/holds"), "Legal holds: devices that must not be erased")
        .link(format!("{home}/apple"), "Apple: the push certificate and its renewal")
        .link(format!("{home}/google"), "Google: the connection for Android phones")
        .link(format!("{home}/tokens"), "Tokens for programs")
        .link(format!("{home}/retention"), "What is kept for how long")
        .answer()
}

/// The council in the address, for whoever may set it up.
async fn council_of(app: &App, visitor: &Visitor, name: &str) -> Result<(Council, Place)> {
    let name = name.to_owned();
    let council = visitor
        .read(app, "council", move |tx, context| {
            let id = councils::permitted(tx, context, &name, Permission::Read)?;
            store::councils::find(tx, &id)?.ok_or(Error::NotFound("council"))
        })
        .await?;
    if !visitor.may(Permission::Settings, &council.id) {
        return Err(Error::forbidden("your role does not allow this"));
    }
    let place = Place::from(council.clone());
    Ok((council, place))
}
