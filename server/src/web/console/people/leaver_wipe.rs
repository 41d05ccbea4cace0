//! Asking for what is given back to be erased for the next holder: what would go, the tag typed, the reason.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::place_of_leaver;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{CONFIRM_FIRST, CaseId};
use crate::operations::orders::{self, NewOrder};
use crate::web::console::confirm;
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::page::{Frame, Question, or_unknown};
use crate::web::console::visitor::Visitor;

fn here(case: &CaseId) -> String {
    format!("{}/wipe", place_of_leaver(case))
}

async fn page(app: &App, visitor: &Visitor, id: &CaseId, errors: &Errors) -> Result<Question> {
    let case = id.clone();
    let (place, detail, leaver, preview) = visitor
        .read(app, "preview order", move |tx, context| {
            let (place, detail, leaver) = super::leaver_case(tx, context, &case)?;
            Ok((place, detail, leaver, orders::preview(tx, context, &case)?))
        })
        .await?;
    let action = here(id);
    let name = leaver.map_or_else(|| "The holder".to_owned(), |(_, name)| name);
    let fields = vec![
        Field::line("asset_tag", "Type the tag of the phone")
            .hint("It is on the label and on the register. Typing it makes sure that it is the right phone.")
            .most(60)
            .short(),
        Field::lines("reason", "Why must it be erased?")
            .hint("Whoever decides about it, or can stop it, reads this.")
            .value(format!("{name} gives it back."))
            .most(1000),
    ];
    let form = Form::new(&action, visitor.token(app, &action)?, "Ask for it to be erased").fields(fields).danger();
    let frame = Frame::new(app, visitor, format!("Ask for {} to be erased", detail.case.asset_tag), Some(&place))?;
    Ok(Question::new(frame.with(errors), form)
        .back(place_of_leaver(id), "Back to its return")
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
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    let id = CaseId::from(path.into_inner());
    let question = page(&app, &visitor, &id, &Errors::default()).await?;
    if !visitor.is_fresh(&app) {
        return Err(confirm::first(&here(&id)));
    }
    question.answer()
}

/// POST: asks.
pub(super) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = CaseId::from(path.into_inner());
    let (case, asset_tag, reason) = (id.clone(), sent.text("asset_tag"), sent.text("reason"));
    let done = visitor
        .change(&app, &sent, "request order", move |tx, context| {
            // A loss has a page of its own.
            super::leaver_case(tx, context, &case)?;
            let new = NewOrder { case: case.clone(), asset_tag: asset_tag.clone(), reason: reason.clone() };
            Ok(orders::request(tx, context, &new)?.id)
        })
        .await;
    match done {
        Ok(order) => Ok(go(&format!("/console/orders/{order}"))),
        Err(Error::Forbidden(words)) if words == CONFIRM_FIRST => Err(confirm::first(&here(&id))),
        Err(error @ Error::Invalid { .. }) => {
            page(&app, &visitor, &id, &Errors::of(error)?).await?.filled(&sent).answer()
        }
        Err(error) => Err(error.into()),
    }
}
