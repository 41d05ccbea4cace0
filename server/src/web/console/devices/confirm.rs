//! Confirming that a phone is the item on the register although its serial number is another.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{Confirmation, DeviceId, Permission};
use crate::operations::devices;
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Form, Sent};
use crate::web::console::page::{Frame, Question, or_unknown};
use crate::web::console::visitor::Visitor;

/// GET: both serial numbers, and the button.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    let id = DeviceId::from(path.into_inner());
    let (device, action) = (id.clone(), format!("{}/confirm", super::place_of(&id)));
    let (place, whole) =
        visitor.read(&app, "show device", move |tx, context| super::with_council(tx, context, &device)).await?;
    if !visitor.may(Permission::Register, &place.id) {
        return Err(Error::forbidden("your role does not allow this").into());
    }
    let waits = whole
        .managed
        .enrolment
        .as_ref()
        .is_some_and(|enrolment| enrolment.confirmation == Confirmation::Waiting && enrolment.ended_at.is_none());
    if !waits {
        return Ok(go(&super::place_of(&id)));
    }
    let asset = &whole.item.asset;
    let holders: Vec<&str> = whole.item.holders.iter().map(|holder| holder.name.as_str()).collect();
    let form = Form::new(&action, visitor.token(&app, &action)?, "Yes, this is the right phone");
    let title = format!("Is this phone {}?", asset.tag);
    Question::new(Frame::new(&app, &visitor, title, Some(&place))?, form)
        .back(super::place_of(&id), "Back to the device")
        .lead("The phone that enrolled has another serial number than the item on the register. Two people may have swapped \
               their invitations.")
        .lead("Ask the holder to read the serial number out: on an iPhone under Settings, General, About; on an Android phone \
               under Settings, About phone. Confirm only if the phone is the right one: until then its PIN is not cleared.")
        .fact("Held by", or_unknown(Some(&holders.join(", "))))
        .fact("Serial number on the register", or_unknown(asset.serial.as_deref()))
        .fact("Serial number that the phone reports", or_unknown(whole.managed.device.serial.as_deref()))
        .answer()
}

/// POST: confirms.
pub(super) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = DeviceId::from(path.into_inner());
    let device = id.clone();
    visitor
        .change(&app, &sent, "confirm device", move |tx, context| devices::confirm(tx, context, &device).map(drop))
        .await?;
    Ok(go(&super::place_of(&id)))
}
