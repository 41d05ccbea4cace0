//! The last answer makes the invitation; its link is shown on the page that follows, and only there.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;
use serde::{Deserialize, Serialize};

use super::answers::Answers;
use super::phone;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{AssetId, InvitationId, Mode, Moment};
use crate::operations::invitations;
use crate::web::api::google::picture;
use crate::web::console::devices::mode_words;
use crate::web::console::failure::{Failure, sentence};
use crate::web::console::form::{Errors, Sent};
use crate::web::console::page::{Frame, Place, draw};
use crate::web::console::visitor::Visitor;

/// An invitation just made, as the form's answer is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Made {
    id: InvitationId,
    asset: AssetId,
    tag: String,
    person: String,
    mode: Mode,
    expires_at: Moment,
    link: String,
    code: String,
    warnings: Vec<String>,
}

#[derive(Template)]
#[template(path = "console/invited.html")]
struct Page {
    frame: Frame,
    place: Place,
    made: Made,
    mode: &'static str,
    warnings: Vec<String>,
    /// The link as a code to scan.
    picture: String,
}

/// POST: makes it, and shows it.
pub(super) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let place = super::place_of(&app, &visitor, &path.into_inner()).await?;
    let (answers, chosen) = (Answers::of(&sent), sent.text("mode"));
    match make(&app, &visitor, &sent, &place, &answers, &chosen).await {
        Ok(made) => {
            let page = Page {
                frame: Frame::new(&app, &visitor, format!("Invitation for {}", made.tag), Some(&place))?,
                mode: mode_words(made.mode),
                warnings: made.warnings.iter().map(|words| sentence(words)).collect(),
                picture: picture(&made.link)?,
                made,
                place,
            };
            draw(StatusCode::OK, &page)
        }
        Err(error) => {
            let errors = match error {
                // What is wrong with an earlier answer is said on top: its field is not on this page.
                Error::Invalid { field, problem } if field != "mode" => Errors::of(Error::Conflict(problem))?,
                Error::Invalid { field, problem } => Errors::one(&field, &sentence(&problem)),
                other => Errors::of(other)?,
            };
            phone::page(&app, &visitor, &place, answers, &chosen, errors).await
        }
    }
}

async fn make(
    app: &App,
    visitor: &Visitor,
    sent: &Sent,
    place: &Place,
    answers: &Answers,
    chosen: &str,
) -> Result<Made> {
    let (item, holder) = (answers.item()?, answers.holder());
    let item = item.ok_or_else(|| Error::invalid("asset", "choose first which phone or tablet it is"))?;
    let holder = holder.ok_or_else(|| Error::invalid("person", "choose first who holds it"))?;
    let (mode, council) = (phone::mode(chosen)?, place.id.to_string());
    visitor
        .change(app, sent, "invite", move |tx, context| {
            let made = invitations::invite(tx, context, &council, &item, &holder, mode)?;
            let invitation = made.named.invitation;
            Ok(Made {
                id: invitation.id,
                asset: invitation.asset_id,
                tag: made.named.asset_tag,
                person: made.named.person_name,
                mode: invitation.mode,
                expires_at: invitation.expires_at,
                link: made.link,
                code: made.code,
                warnings: made.warnings,
            })
        })
        .await
}
