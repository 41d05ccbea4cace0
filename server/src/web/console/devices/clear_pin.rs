//! Clearing a forgotten PIN, which opens the phone: for whoever has just confirmed who he is, with a note of how the caller was
//! recognised.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{DeviceId, Platform};
use crate::operations::devices::{self, Whole};
use crate::web::console::confirm;
use crate::web::console::failure::{Failure, go, sentence};
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::page::{Frame, Place, Question, or_unknown};
use crate::web::console::visitor::Visitor;

fn here(id: &DeviceId) -> String {
    format!("{}/clear-pin", super::place_of(id))
}

async fn page(app: &App, visitor: &Visitor, id: &DeviceId, errors: &Errors) -> Result<Question> {
    let device = id.clone();
    let (place, whole, refused): (Place, Whole, Option<String>) = visitor
        .read(app, "show device", move |tx, context| {
            let (place, whole) = super::with_council(tx, context, &device)?;
            let refused = match devices::may_clear_passcode(tx, context, &device) {
                Ok(()) => None,
                Err(Error::Conflict(words)) => Some(words),
                Err(other) => return Err(other),
            };
            Ok((place, whole, refused))
        })
        .await?;
    let asset = &whole.item.asset;
    let holders: Vec<&str> = whole.item.holders.iter().map(|holder| holder.name.as_str()).collect();
    let frame = Frame::new(app, visitor, format!("Clear the PIN of {}", asset.tag), Some(&place))?.with(errors);
    let action = here(id);
    let field = Field::line("recognised_by", "How did you recognise the caller?")
        .hint("For example: came to the office in person, or I rang back on the number in the register.")
        .most(300);
    let form = Form::new(&action, visitor.token(app, &action)?, "Clear the PIN").fields(vec![field]).danger();
    let mut question = Question::new(frame, form)
        .back(super::place_of(id), "Back to the device")
        .fact("Item", format!("{} {}", asset.make, asset.model).trim())
        .fact("Held by", or_unknown(Some(&holders.join(", "))));
    if let Some(words) = refused {
        return Ok(Question { form: None, ..question.warning(format!("{}.", sentence(&words))) });
    }
    if let Some(enrolment) = &whole.managed.enrolment {
        question = question.fact("Last heard from", place.zone.when(enrolment.last_seen_at));
    }
    question = question
        .warning("This opens the phone for whoever has it in hand.")
        .lead("Clear the PIN only for the holder, and only if you are sure who is asking. If the phone may be lost, report it lost \
               instead.");
    Ok(match whole.managed.device.platform {
        Platform::Apple => question.lead(
            "The PIN goes as soon as the phone is connected. The phone then asks for a new one, if the policy wants one.",
        ),
        Platform::Android => question.lead(
            "The PIN goes as soon as the phone is connected. A phone that was switched off since must first be opened with \
             its PIN.",
        ),
    })
}

/// GET: the form, for whoever has just confirmed who he is.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    let id = DeviceId::from(path.into_inner());
    let question = page(&app, &visitor, &id, &Errors::default()).await?;
    if question.form.is_some() && !visitor.is_fresh(&app) {
        return Err(confirm::first(&here(&id)));
    }
    question.answer()
}

/// POST: asks the phone to clear it.
pub(super) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = DeviceId::from(path.into_inner());
    let (device, recognised_by) = (id.clone(), sent.text("recognised_by"));
    let done = visitor
        .change(&app, &sent, "clear passcode", move |tx, context| {
            devices::clear_passcode(tx, context, &device, &recognised_by).map(drop)
        })
        .await;
    match done {
        Ok(()) => Ok(go(&super::place_of(&id))),
        Err(error) => {
            let question = page(&app, &visitor, &id, &Errors::of(error)?).await?;
            let form = question.form.map(|form| form.filled(&sent));
            Question { form, ..question }.answer()
        }
    }
}
