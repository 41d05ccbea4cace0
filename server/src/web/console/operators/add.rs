//! Adding an operator: the initial password is shown once.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::{LABELS, ROLES, initial_password, list_of};
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{CouncilId, Permission, Role};
use crate::operations::operators::{self, NewOperator};
use crate::operations::{councils, passwords};
use crate::web::console::failure::Failure;
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::page::{Frame, Place, Question};
use crate::web::console::visitor::Visitor;

/// The council with this name, or none for a provider; for whoever may add somebody there.
async fn place_for(app: &App, visitor: &Visitor, council: Option<String>) -> Result<Option<Place>> {
    visitor
        .read(app, "may add operator", move |tx, context| match council {
            Some(name) => {
                let council = councils::permitted(tx, context, &name, Permission::Operators)?;
                Place::of(tx, &council).map(Some)
            }
            None => context.actor.require_installation(Permission::Installation).map(|()| None),
        })
        .await
}

fn page(app: &App, visitor: &Visitor, place: Option<&Place>, errors: &Errors) -> Result<Question> {
    let list = list_of(place);
    let action = format!("{list}/new");
    let mut fields = vec![
        Field::line("name", "Name").most(100),
        Field::line("login", "Sign-in name")
            .hint("3 to 64 letters, digits or the signs . _ - + @. Their mail address will do.")
            .most(64)
            .short(),
    ];
    if place.is_some() {
        fields.push(Field::choice("role", "Role", &ROLES));
    }
    let form = Form::new(&action, visitor.token(app, &action)?, "Add this operator").fields(fields);
    let title = if place.is_some() { "Add somebody who signs in" } else { "Add a provider" };
    let mut question = Question::new(Frame::new(app, visitor, title, place)?.with(errors), form)
        .back(list, if place.is_some() { "Who signs in to Beadle" } else { "Providers" })
        .lead("They are given a password of three words, which is shown once and counts until they choose their own.");
    if place.is_none() {
        question = question.warning("A provider sees every council and may act for each of them.");
    }
    Ok(question)
}

/// GET: the form.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    let place = place_for(&app, &visitor, Some(path.into_inner())).await?;
    page(&app, &visitor, place.as_ref(), &Errors::default())?.answer()
}

/// GET: the form for a provider.
pub(super) async fn show_provider(app: Data<App>, visitor: Visitor) -> Result<HttpResponse, Failure> {
    place_for(&app, &visitor, None).await?;
    page(&app, &visitor, None, &Errors::default())?.answer()
}

/// POST: adds somebody to a council.
pub(super) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let place = place_for(&app, &visitor, Some(path.into_inner())).await?;
    add(&app, &visitor, &sent, place).await
}

/// POST: adds a provider.
pub(super) async fn send_provider(app: Data<App>, visitor: Visitor, sent: Sent) -> Result<HttpResponse, Failure> {
    let place = place_for(&app, &visitor, None).await?;
    add(&app, &visitor, &sent, place).await
}

fn role(sent: &Sent, council: Option<&CouncilId>) -> Result<Role> {
    if council.is_none() {
        return Ok(Role::Provider);
    }
    let role = sent.text("role").parse().ok().filter(|role| *role != Role::Provider);
    role.ok_or_else(|| Error::invalid("role", "Choose a role"))
}

async fn add(app: &App, visitor: &Visitor, sent: &Sent, place: Option<Place>) -> Result<HttpResponse, Failure> {
    let council = place.as_ref().map(|place| place.id.clone());
    let done = match role(sent, council.as_ref()) {
        Err(error) => Err(error),
        Ok(role) => {
            let initial = passwords::initial().await?;
            let new = NewOperator {
                council,
                login: sent.text("login"),
                name: sent.text("name"),
                role,
                password_hash: initial.hash,
            };
            let words = initial.words.to_string();
            visitor
                .change(app, sent, "add operator", move |tx, context| {
                    let operator = operators::add(tx, context, &new)?;
                    Ok((operator.id, operator.login, words.clone()))
                })
                .await
        }
    };
    match done {
        Ok((id, login, words)) => initial_password(app, visitor, place.as_ref(), &id, login, words),
        Err(error) => page(app, visitor, place.as_ref(), &Errors::of(error)?.named(&LABELS))?.filled(sent).answer(),
    }
}
