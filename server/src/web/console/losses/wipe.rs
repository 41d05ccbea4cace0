//! Asking for the phone to be erased: what would go, in one sentence; the tag, typed; the reason.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{CONFIRM_FIRST, CaseId};
use crate::operations::orders::{self, NewOrder, Preview};
use crate::web::console::confirm;
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::page::{Frame, Place, Question, or_unknown};
use crate::web::console::visitor::Visitor;

fn here(case: &CaseId) -> String {
    format!("{}/wipe", super::place_of(case))
}

async fn page(app: &App, visitor: &Visitor, id: &CaseId, errors: &Errors) -> Result<Question> {
    let case = id.clone();
    let (place, preview): (Place, Preview) = visitor
        .read(app, "preview order", move |tx, context| {
            let preview = orders::preview(tx, context, &case)?;
            Ok((super::with_council(tx, context, &case)?.0, preview))
        })
        .await?;
    let action = here(id);
    let fields = vec![
        Field::line("asset_tag", "Type the tag of the phone")
            .hint("It is on the label and on the register. Typing it makes sure that it is the right phone.")
            .most(60)
            .short(),
        Field::lines("reason", "Why must it be erased?")
            .hint("Whoever decides about it, or can stop it, reads this.")
            .most(1000),
    ];
    let form = Form::new(&action, visitor.token(app, &action)?, "Ask for it to be erased").fields(fields).danger();
    let frame = Frame::new(app, visitor, "Ask for the phone to be erased", Some(&place))?.with(errors);
    Ok(Question::new(frame, form)
        .back(super::place_of(id), "Back to the lost phone")
        .warning(preview.what)
        .fact("Item on the register", preview.item)
        .fact("Model, as the phone reports", or_unknown(preview.reported_model.as_deref()))
        .fact("Serial number, as the phone reports", or_unknown(preview.reported_serial.as_deref()))
        .fact("Number, as the phone reports", or_unknown(preview.reported_number.as_deref()))
        .fact("Last heard from", place.zone.when(preview.last_seen_at))
        .fact("Back-up", preview.backup)
        .lead(preview.what_follows))
}

/// GET: the form, for whoever has just confirmed who he is.
pub(in crate::web::console) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = CaseId::from(path.into_inner());
    let question = page(&app, &visitor, &id, &Errors::default()).await?;
    if !visitor.is_fresh(&app) {
        return Err(confirm::first(&here(&id)));
    }
    question.answer()
}

/// POST: asks.
pub(in crate::web::console) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = CaseId::from(path.into_inner());
    let new = NewOrder { case: id.clone(), asset_tag: sent.text("asset_tag"), reason: sent.text("reason") };
    let done = visitor
        .change(&app, &sent, "request order", move |tx, context| Ok(orders::request(tx, context, &new)?.id))
        .await;
    match done {
        Ok(order) => Ok(go(&format!("/console/orders/{order}"))),
        Err(Error::Forbidden(words)) if words == CONFIRM_FIRST => Err(confirm::first(&here(&id))),
        Err(error @ Error::Invalid { .. }) => {
            let question = page(&app, &visitor, &id, &Errors::of(error)?).await?;
            let form = question.form.map(|form| form.filled(&sent));
            Question { form, ..question }.answer()
        }
        Err(error) => Err(error.into()),
    }
}
