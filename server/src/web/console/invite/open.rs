//! The invitations that can still be used.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use askama::Template;
use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::model::{InvitationState, Permission};
use crate::operations::councils;
use crate::operations::invitations::{self, Named};
use crate::web::console::devices::mode_words;
use crate::web::console::failure::Failure;
use crate::web::console::page::{Frame, Place, draw};
use crate::web::console::visitor::Visitor;

/// How many are on one page.
const MOST: usize = 25;

/// Which part of the list is wanted.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Asked {
    after: Option<String>,
}

/// An invitation in the list.
struct Line {
    named: Named,
    mode: &'static str,
    standing: &'static str,
}

#[derive(Template)]
#[template(path = "console/invitations.html")]
struct Page {
    frame: Frame,
    place: Place,
    invitations: Vec<Line>,
    next: Option<String>,
    may_invite: bool,
}

/// Where an invitation stands, in words.
fn standing(named: &Named) -> &'static str {
    match named.invitation.state {
        InvitationState::Open => "The holder has not accepted the notice yet",
        InvitationState::Accepted => "The holder accepted the notice; no phone has enrolled yet",
        InvitationState::Used => "Used",
        InvitationState::Withdrawn => "Withdrawn",
    }
}

fn line(named: Named) -> Line {
    Line { mode: mode_words(named.invitation.mode), standing: standing(&named), named }
}

/// GET: the list.
pub(super) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
    asked: Query<Asked>,
) -> Result<HttpResponse, Failure> {
    let (name, after) = (path.into_inner(), asked.into_inner().after);
    let (place, mut found): (Place, Vec<Named>) = visitor
        .read(&app, "list invitations", move |tx, context| {
            let council = councils::permitted(tx, context, &name, Permission::Read)?;
            let found = invitations::list(tx, context, &name, true, after.as_deref(), MOST as i64 + 1)?;
            Ok((Place::of(tx, &council)?, found))
        })
        .await?;
    let more = found.len() > MOST;
    found.truncate(MOST);
    let last = found.last().filter(|_| more).map(|named| named.invitation.id.clone());
    let page = Page {
        frame: Frame::new(&app, &visitor, "Invitations that are still open", Some(&place))?,
        next: last.map(|id| format!("{}/invitations?after={id}", place.home())),
        may_invite: visitor.may(Permission::Register, &place.id),
        invitations: found.into_iter().map(line).collect(),
        place,
    };
    draw(StatusCode::OK, &page)
}
