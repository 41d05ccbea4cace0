//! A new council: its name, its address, and the policy it starts from.

use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use beadle_profiles::policy::Preset;

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::Permission;
use crate::operations::councils::{self, NewCouncil};
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::page::{Frame, Question};
use crate::web::console::passkeys;
use crate::web::console::visitor::Visitor;

const HERE: &str = "/console/add-council";

fn permitted(visitor: &Visitor) -> Result<()> {
    visitor.actor().require_installation(Permission::Installation)
}

fn page(app: &App, visitor: &Visitor, sent: Option<&Sent>, address: &str, errors: &Errors) -> Result<Question> {
    let fields = vec![
        Field::line("name", "What is the council called?")
            .hint("As it signs its letters: Germoe Parish Council, for example."),
        Field::line("slug", "A short name for it")
            .hint("Small letters, digits and hyphens: germoe, for example. It stands in addresses.")
            .most(40)
            .short(),
        Field::line("public_url", "The address that its phones will know")
            .hint("It begins with https:// and stays for ever: phones can never be told another one.")
            .value(address),
        Field::choice(
            "preset",
            "Which policy does it start from?",
            &[
                ("council-template", "The council template, which stands for both of the others"),
                ("germoe", "The policy of Germoe Parish Council"),
                ("coreley", "The policy of Coreley Parish Council"),
            ],
        )
        .hint("Every setting can be changed afterwards.")
        .value("council-template"),
    ];
    let form = Form::new(HERE, visitor.token(app, HERE)?, "Add the council").fields(fields);
    let form = match sent {
        Some(sent) => form.filled(sent),
        None => form,
    };
    let frame = Frame::new(app, visitor, "Add a council", None)?.with(errors);
    Ok(Question::new(frame, form).back("/console", "Councils").lead(
        "It gets a certificate authority, a policy and an audit trail of its own, apart from every other council.",
    ))
}

/// The address that this page was asked for at, which is a good first guess.
fn address(request: &HttpRequest) -> String {
    let host = passkeys::host(request);
    if host.is_empty() { String::new() } else { format!("https://{host}") }
}

/// GET: the form.
pub(super) async fn show(app: Data<App>, visitor: Visitor, request: HttpRequest) -> Result<HttpResponse, Failure> {
    permitted(&visitor)?;
    page(&app, &visitor, None, &address(&request), &Errors::default())?.answer()
}

/// POST: adds it.
pub(super) async fn send(
    app: Data<App>,
    visitor: Visitor,
    request: HttpRequest,
    sent: Sent,
) -> Result<HttpResponse, Failure> {
    // Looked at again inside; here it saves making a key for someone who may not.
    permitted(&visitor)?;
    let added = add(&app, &visitor, &sent).await;
    let error = match added {
        Ok(slug) => return Ok(go(&format!("/console/councils/{slug}/set-up"))),
        Err(error) => error,
    };
    let errors = match error {
        Error::Invalid { field, problem } => {
            let subject = match field.as_str() {
                "name" => "The name",
                "slug" => "The short name",
                "public_url" => "The address",
                _ => "The policy",
            };
            Errors::one(&field, &format!("{subject} {problem}"))
        }
        other => Errors::of(other)?,
    };
    page(&app, &visitor, Some(&sent), &address(&request), &errors)?.answer()
}

async fn add(app: &App, visitor: &Visitor, sent: &Sent) -> Result<String> {
    let preset: Preset =
        sent.text("preset").parse().map_err(|_| Error::invalid("preset", "must be one of the three; choose one"))?;
    let new = NewCouncil {
        name: sent.text("name"),
        slug: sent.text("slug").trim().to_owned(),
        public_url: sent.text("public_url").trim().to_owned(),
        time_zone: "Europe/London".to_owned(),
        preset,
    };
    let (keys, now) = (Arc::clone(&app.keys), app.clock.now());
    let prepared =
        tokio::task::spawn_blocking(move || councils::prepare(&keys, now, &new)).await.map_err(Error::internal)??;
    visitor
        .change(app, sent, "add council", move |tx, context| {
            councils::add(tx, context, &prepared).map(|council| council.slug)
        })
        .await
}
