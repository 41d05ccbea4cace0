//! What is done and what is left, each with its one next step.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;

use crate::app::App;
use crate::model::{Permission, Role};
use crate::operations::getting_started;
use crate::operations::mail;
use crate::web::console::failure::Failure;
use crate::web::console::page::{Frame, Place, draw};
use crate::web::console::visitor::Visitor;

struct Step {
    title: &'static str,
    words: &'static str,
    done: bool,
    place: String,
}

#[derive(Template)]
#[template(path = "console/getting_started.html")]
struct Page {
    frame: Frame,
    place: Place,
    steps: Vec<Step>,
    complete: bool,
}

/// GET: the steps.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    let (council, place) = super::council_of(&app, &visitor, &path.into_inner()).await?;
    let provider = visitor.signed_in.role == Role::Provider;
    let (progress, mail) = visitor
        .read(&app, "getting started", move |tx, context| {
            let mail = if provider { Some(mail::show(tx, context)?.is_some()) } else { None };
            Ok((getting_started::progress(tx, context, &council.id)?, mail))
        })
        .await?;
    let home = place.home();
    let step = |title, words, done, place: String| Step { title, words, done, place };
    let mut steps = vec![
        step(
            "Look at the policy",
            "What the council asks of its phones: PIN, automatic lock, erasing after wrong PINs.",
            progress.policy,
            format!("{home}/policy"),
        ),
        step(
            "Connect to Apple",
            "Needed for iPhones and iPads. It takes ten minutes and an Apple Account that belongs to the council.",
            progress.apple,
            format!("{home}/apple"),
        ),
        step("Connect to Google", "Needed for Android phones only.", progress.android, format!("{home}/google")),
    ];
    if let Some(done) = mail {
        steps.push(step(
            "Set the mail server",
            "So that people are told at once when a phone is lost or an order waits. It serves every council.",
            done,
            "/console/settings/mail".to_owned(),
        ));
    }
    steps.push(step(
        "Add a second person",
        "Nobody erases a phone alone: one asks, another approves. Both need an account with a second factor.",
        progress.second_person,
        format!("{home}/operators"),
    ));
    if visitor.may(Permission::Register, &place.id) {
        steps.push(step(
            "Invite the first phone",
            "Three questions, then a link or a code for its holder.",
            progress.phone,
            format!("{home}/invite"),
        ));
    }
    let page = Page {
        frame: Frame::new(&app, &visitor, "Getting started", Some(&place))?,
        complete: progress.is_complete(),
        place,
        steps,
    };
    draw(StatusCode::OK, &page)
}
