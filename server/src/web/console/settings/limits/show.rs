//! The limits and the freeze as they stand, with what can be done about them.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::{Limits, words_of};
use crate::app::App;
use crate::operations::caps::{FreezeView, RaiseView};
use crate::web::console::failure::{Failure, sentence};
use crate::web::console::page::{Frame, Question};
use crate::web::console::visitor::Visitor;

/// GET: the page.
pub(in crate::web::console::settings) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Option<Path<String>>,
) -> Result<HttpResponse, Failure> {
    let council = super::named(path);
    let limits = super::look(&app, &visitor, council.as_ref()).await?;
    let title = if limits.place.is_some() { "Limits on erasing" } else { "Limits on erasing, all councils together" };
    let mut question = Question::plain(Frame::new(&app, &visitor, title, limits.place.as_ref())?);
    question = match &limits.place {
        Some(place) => question.back(format!("{}/approvals", place.home()), "Orders to erase a phone"),
        None => question.back("/console", "Councils"),
    };
    if let Some(freeze) = &limits.view.freeze {
        question = frozen(question, &visitor, &limits, freeze);
    }
    let view = &limits.view;
    question = question
        .lead("Whoever steals an account must not be able to erase every phone. So only a few may be erased in an hour and in a \
               day. When a limit is reached, erasing is frozen and everyone who may approve is told. Reporting a phone lost and \
               locking it have no limit.")
        .fact("At most", words_of(view.per_hour, view.per_day))
        .fact("Approved in the last hour", view.approved_last_hour.to_string())
        .fact("Approved in the last 24 hours", view.approved_last_day.to_string());
    if view.freeze.is_none() {
        question = question.fact("Frozen", "No");
    }
    if let Some(raise) = &view.pending_raise {
        question = raising(question, &visitor, &limits, raise);
    }
    if limits.may {
        question = question.link(format!("{}/change", limits.home), "Change the limits");
    }
    question.answer()
}

fn frozen(mut question: Question, visitor: &Visitor, limits: &Limits, freeze: &FreezeView) -> Question {
    question = question
        .warning(format!("Erasing is frozen since {}: no phone is erased.", limits.zone.when(freeze.frozen_at)))
        .fact("Why it is frozen", format!("{}.", sentence(&freeze.reason)));
    if !limits.own_freeze() {
        question = question.lead(
            "The limit for all councils together was reached, so it is frozen for every council. Only two providers together can \
             end that: ring your IT provider.",
        );
        let provider = visitor.signed_in.council.is_none();
        return if provider {
            question.link(super::ALL_COUNCILS, "The limits of all councils together")
        } else {
            question
        };
    }
    question = question.lead(
        "Did you and your colleagues approve these orders yourselves? If anybody is in doubt, an account may have been stolen: \
         do not thaw, and give that person a new password first. Two people must thaw.",
    );
    match (&freeze.thaw_requested_by, &freeze.thaw_requested_by_name, freeze.thaw_requested_at) {
        (Some(by), Some(name), Some(at)) => {
            question = question.fact("Thawing asked for by", format!("{name}, on {}", limits.zone.when(at)));
            if *by == visitor.signed_in.operator {
                return question
                    .lead("You asked to thaw it, so now a second person must agree. Ask them to open this page.");
            }
            if limits.may {
                question.link(format!("{}/thaw", limits.home), "Agree to thaw, as the second person")
            } else {
                question
            }
        }
        _ if limits.may => question.link(format!("{}/thaw", limits.home), "Ask to thaw"),
        _ => question,
    }
}

fn raising(question: Question, visitor: &Visitor, limits: &Limits, raise: &RaiseView) -> Question {
    let words = words_of(raise.per_hour, raise.per_day);
    let question = question
        .fact("Asked to be raised to", words)
        .fact("Asked for by", format!("{}, on {}", raise.requested_by_name, limits.zone.when(raise.requested_at)));
    match raise.effective_at {
        Some(at) => question.fact("A second person agreed; it counts from", limits.zone.when(at)),
        None if raise.requested_by == visitor.signed_in.operator => question
            .lead("You asked to raise the limits, so now a second person must agree. Ask them to open this page."),
        None if limits.may => {
            question.link(format!("{}/raise", limits.home), "Decide about the raise, as the second person")
        }
        None => question,
    }
}
