//! Putting a device under a legal hold.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::{MEANING, place_of};
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{DeviceId, Permission};
use crate::operations::holds;
use crate::web::console::devices;
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::page::{Frame, Place, Question, or_unknown};
use crate::web::console::visitor::Visitor;

async fn page(app: &App, visitor: &Visitor, id: &DeviceId, errors: &Errors) -> Result<(Question, Place)> {
    let device = id.clone();
    let (place, whole) =
        visitor.read(app, "show device", move |tx, context| devices::with_council(tx, context, &device)).await?;
    if !visitor.may(Permission::CancelOrder, &place.id) {
        return Err(Error::forbidden("your role does not allow this"));
    }
    let action = format!("{}/hold", devices::place_of(id));
    let reason = Field::lines("reason", "Why must nothing on it be destroyed?")
        .hint("For example: the request for information of 3 November. Whoever wants to have it erased reads this.")
        .most(1000);
    let form = Form::new(&action, visitor.token(app, &action)?, "Put it under a legal hold").fields(vec![reason]);
    let asset = &whole.item.asset;
    let holders: Vec<&str> = whole.item.holders.iter().map(|holder| holder.name.as_str()).collect();
    let title = format!("Put {} under a legal hold", asset.tag);
    let frame = Frame::new(app, visitor, title, Some(&place))?.with(errors);
    let mut question = Question::new(frame, form)
        .back(devices::place_of(id), "Back to the device")
        .lead(MEANING)
        .lead("An order to erase it that the phone has not fetched yet is held at once. The phone can still be reported lost and \
               locked, and the policy\u{2019}s rule about wrong PINs stays on it: where there is one, ask the holder not to try \
               PINs.")
        .fact("Item", format!("{} {}", asset.make, asset.model).trim())
        .fact("Held by", or_unknown(Some(&holders.join(", "))));
    if !whole.holds.is_empty() {
        question = question
            .warning("It is under a legal hold already. This puts another on it; each must be ended by itself.");
    }
    Ok((question, place))
}

/// GET: the form.
pub(in crate::web::console::settings) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<DeviceId>,
) -> Result<HttpResponse, Failure> {
    page(&app, &visitor, &path.into_inner(), &Errors::default()).await?.0.answer()
}

/// POST: puts it on.
pub(in crate::web::console::settings) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<DeviceId>,
) -> Result<HttpResponse, Failure> {
    let id = path.into_inner();
    let (_, place) = page(&app, &visitor, &id, &Errors::default()).await?;
    let (device, reason) = (id.clone(), sent.text("reason"));
    let done = visitor
        .change(&app, &sent, "add hold", move |tx, context| holds::add(tx, context, &device, &reason).map(drop))
        .await;
    match done {
        Ok(()) => Ok(go(&place_of(&place))),
        Err(error) => page(&app, &visitor, &id, &Errors::of(error)?).await?.0.filled(&sent).answer(),
    }
}
