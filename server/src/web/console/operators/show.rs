//! One operator: what the account is and may, and what can be done about it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;

use super::{list_of, place_of, role_word};
use crate::app::App;
use crate::model::{OperatorId, Permission, Role};
use crate::operations::standing::{self, Standing};
use crate::store::operators::Operator;
use crate::web::console::dates::Zone;
use crate::web::console::failure::{Failure, sentence};
use crate::web::console::page::{Frame, Place, draw, or_unknown};
use crate::web::console::visitor::Visitor;

#[derive(Template)]
#[template(path = "console/operator.html")]
struct Page {
    frame: Frame,
    list: String,
    ended: Option<String>,
    facts: Vec<(&'static str, String)>,
    steps: Vec<(String, &'static str)>,
    /// Ending it: where that is.
    end: Option<String>,
}

/// GET: the page.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    let id = OperatorId::from(path.into_inner());
    let (place, operator, standing) = visitor
        .read(&app, "show operator", move |tx, context| {
            let (place, operator) = super::with_council(tx, context, &id)?;
            let standing = match &place {
                Some(place) => Some(standing::standing(tx, &operator.id, &place.id, context.now)?),
                None => None,
            };
            Ok((place, operator, standing))
        })
        .await?;
    let zone = place.as_ref().map_or_else(Zone::default, |place| place.zone);
    let here = place_of(&operator.id);
    let may = operator.ended_at.is_none() && may_change(&visitor, place.as_ref());
    let page = Page {
        frame: Frame::new(&app, &visitor, operator.name.clone(), place.as_ref())?,
        list: list_of(place.as_ref()),
        ended: operator.ended_at.map(|at| zone.when(at)),
        facts: facts(&operator, standing, zone),
        steps: steps(&visitor, place.as_ref(), &operator, &here),
        end: may.then(|| format!("{here}/end")),
    };
    draw(StatusCode::OK, &page)
}

fn may_change(visitor: &Visitor, place: Option<&Place>) -> bool {
    match place {
        Some(place) => visitor.may(Permission::Operators, &place.id),
        None => visitor.actor().require_installation(Permission::Installation).is_ok(),
    }
}

fn facts(operator: &Operator, standing: Option<Standing>, zone: Zone) -> Vec<(&'static str, String)> {
    let second = match (operator.must_change_password, operator.has_second_factor()) {
        (true, _) => "Has not chosen a password yet",
        (false, true) => "Set up",
        (false, false) => "Not set up yet",
    };
    let mut facts = vec![
        ("Role", role_word(operator.role).to_owned()),
        ("Sign-in name", operator.login.clone()),
        ("Mail address", or_unknown(operator.mail.as_deref())),
        ("Authenticator app or passkey", second.to_owned()),
    ];
    if let Some(standing) = standing.filter(|_| operator.ended_at.is_none()) {
        let words = match standing {
            Standing::Established => "Yes".to_owned(),
            Standing::From(at) => format!("From {}", zone.when(at)),
            Standing::No(why) => format!("No: {}", why),
        };
        facts.push(("May approve that a phone is erased", sentence(&words)));
    }
    facts.push(("Account since", zone.when(operator.created_at)));
    facts
}

fn steps(visitor: &Visitor, place: Option<&Place>, operator: &Operator, here: &str) -> Vec<(String, &'static str)> {
    let mut steps = Vec::new();
    if operator.ended_at.is_some() {
        return steps;
    }
    let own = visitor.signed_in.operator == operator.id;
    if may_change(visitor, place) {
        steps.push((format!("{here}/change"), "Change name, sign-in name or mail address"));
        if !own {
            if operator.role != Role::Provider {
                steps.push((format!("{here}/role"), "Change the role"));
            }
            steps.push((format!("{here}/reset"), "They cannot sign in: give them a new password"));
        }
    }
    if let Some(place) = place.filter(|place| {
        // Whoever names belongs to the council, and names somebody else.
        operator.role == Role::Clerk
            && !own
            && visitor.signed_in.council.as_ref() == Some(&place.id)
            && visitor.may(Permission::ApproveOrder, &place.id)
    }) {
        steps.push((format!("{}/approvers/{}", place.home(), operator.id), "Say whether they may approve, too"));
    }
    steps
}
