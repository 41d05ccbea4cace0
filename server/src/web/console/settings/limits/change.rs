//! Other limits: lower ones count at once, higher ones are asked for.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use crate::app::App;
use crate::error::{Error, Result};
use crate::operations::caps;
use crate::web::console::confirm;
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::page::{Frame, Question};
use crate::web::console::settings::errors_or_confirm;
use crate::web::console::visitor::Visitor;

const LABELS: [(&str, &str); 2] = [("per_hour", "How many in an hour"), ("per_day", "How many in a day")];

async fn page(app: &App, visitor: &Visitor, council: Option<&String>, errors: &Errors) -> Result<(Question, String)> {
    let limits = super::look(app, visitor, council).await?;
    limits.require()?;
    let action = format!("{}/change", limits.home);
    let fields = vec![
        Field::line("per_hour", "How many phones may be erased in an hour?")
            .value(limits.view.per_hour.to_string())
            .most(4)
            .short(),
        Field::line("per_day", "How many in a day?").value(limits.view.per_day.to_string()).most(4).short(),
    ];
    let form = Form::new(&action, visitor.token(app, &action)?, "Change the limits").fields(fields);
    let frame = Frame::new(app, visitor, "Change the limits on erasing", limits.place.as_ref())?.with(errors);
    let mut question = Question::new(frame, form)
        .back(limits.home, "Limits on erasing")
        .lead("Lower limits count at once. With 0 no phone can be erased at all.")
        .lead("Higher limits have to be agreed to by a second person, and count only 24 hours after that.");
    if limits.view.pending_raise.is_some() {
        question = question.warning("A raise was asked for already. What you enter here takes its place.");
    }
    Ok((question, action))
}

/// GET: the form, for whoever has just confirmed who he is.
pub(in crate::web::console::settings) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Option<Path<String>>,
) -> Result<HttpResponse, Failure> {
    let (question, here) = page(&app, &visitor, super::named(path).as_ref(), &Errors::default()).await?;
    if !visitor.is_fresh(&app) {
        return Err(confirm::first(&here));
    }
    question.answer()
}

fn number(sent: &Sent, field: &'static str) -> Result<i64> {
    sent.text(field).trim().parse().map_err(|_| Error::invalid(field, "must be a whole number"))
}

/// POST: lowers them, or asks to raise them.
pub(in crate::web::console::settings) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Option<Path<String>>,
) -> Result<HttpResponse, Failure> {
    let council = super::named(path);
    let (_, here) = page(&app, &visitor, council.as_ref(), &Errors::default()).await?;
    let wanted = number(&sent, "per_hour").and_then(|hour| Ok((hour, number(&sent, "per_day")?)));
    let named = council.clone();
    let done = match wanted {
        Err(error) => Err(error),
        Ok((per_hour, per_day)) => {
            visitor
                .change(&app, &sent, "change caps", move |tx, context| {
                    let scope = super::scope(tx, context, named.as_ref())?;
                    caps::change(tx, context, &scope, per_hour, per_day).map(drop)
                })
                .await
        }
    };
    match done {
        Ok(()) => Ok(go(here.trim_end_matches("/change"))),
        Err(error) => {
            let errors = errors_or_confirm(error, &here)?.named(&LABELS);
            page(&app, &visitor, council.as_ref(), &errors).await?.0.filled(&sent).answer()
        }
    }
}
