//! Withdrawing an invitation: its link leads nowhere from then on.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{InvitationId, Permission};
use crate::operations::invitations;
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Form, Sent};
use crate::web::console::page::{Frame, Place, Question};
use crate::web::console::visitor::Visitor;

/// GET: whose it is, and the button.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    let id = InvitationId::from(path.into_inner());
    let action = format!("/console/invitations/{id}/withdraw");
    let (place, named): (Place, _) = visitor
        .read(&app, "show invitation", move |tx, context| {
            let named = invitations::show(tx, context, &id)?;
            Ok((Place::of(tx, &named.invitation.council_id)?, named))
        })
        .await?;
    if !visitor.may(Permission::Register, &place.id) {
        return Err(Error::forbidden("your role does not allow this").into());
    }
    let list = format!("{}/invitations", place.home());
    if !invitations::is_open(&named.invitation, app.clock.now()) {
        return Ok(go(&list));
    }
    let form = Form::new(&action, visitor.token(&app, &action)?, "Withdraw the invitation");
    let title = format!("Withdraw the invitation for {}", named.asset_tag);
    Question::new(Frame::new(&app, &visitor, title, Some(&place))?, form)
        .back(list, "Invitations that are still open")
        .lead("The link stops working at once. A phone that has enrolled with it already stays as it is.")
        .fact("Invited", named.person_name)
        .fact("Can be used until", place.zone.when(named.invitation.expires_at))
        .answer()
}

/// POST: withdraws it.
pub(super) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = InvitationId::from(path.into_inner());
    let slug = visitor
        .change(&app, &sent, "withdraw invitation", move |tx, context| {
            let named = invitations::withdraw(tx, context, &id)?;
            Ok(Place::of(tx, &named.invitation.council_id)?.slug)
        })
        .await?;
    Ok(go(&format!("/console/councils/{slug}/invitations")))
}
