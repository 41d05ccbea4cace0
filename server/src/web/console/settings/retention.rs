//! What is kept for how long; the server's own settings say so, for all councils alike.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use crate::app::App;
use crate::model::Permission;
use crate::operations::councils;
use crate::web::console::failure::Failure;
use crate::web::console::page::{Frame, Place, Question};
use crate::web::console::visitor::Visitor;

/// Days as people say them, where they come to whole years.
fn words_of(days: i64) -> String {
    // Six years are 2192 days with their leap days.
    let years = (days * 100 + 18_262) / 36_525;
    let whole = (years * 36_525 + 50) / 100;
    match (days, years) {
        (1, _) => "1 day".to_owned(),
        (days, years) if years > 1 && (days - whole).abs() <= 1 => format!("{years} years"),
        (days, _) => format!("{days} days"),
    }
}

/// GET: the page.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    let name = path.into_inner();
    let place = visitor
        .read(&app, "council", move |tx, context| {
            let council = councils::permitted(tx, context, &name, Permission::Read)?;
            Place::of(tx, &council)
        })
        .await?;
    let kept = &app.config.retention;
    let evidence = kept.wipe_evidence.max(kept.audit_details);
    let question = Question::plain(Frame::new(&app, &visitor, "What is kept for how long", Some(&place))?)
        .lead("What is older is deleted by itself, every day. It is the same for all councils on this server: your IT provider sets \
               it in the server\u{2019}s settings file, and it counts from the next start of the server. It cannot be changed here.")
        .fact("Personal details in the audit trail", words_of(kept.audit_details))
        .fact("Those of an order to erase and its case", format!("{} from its end on", words_of(evidence)))
        .fact("Legal holds, and whatever is not at its end", "As long as they last")
        .fact("What was asked of phones, and their answers", format!("{} from its end on", words_of(kept.commands)))
        .fact("Sign-ins", format!("{} after they ended", words_of(kept.sessions)))
        .fact("The register, the people, the orders, and that something happened", "Until somebody removes it, or for ever")
        .lead("Of what is deleted from the audit trail it stays on record that something happened, and when; the trail can still be \
               verified.");
    let question = if visitor.may(Permission::Settings, &place.id) {
        question.back(format!("{}/settings", place.home()), "Settings")
    } else {
        question.back(format!("{}/audit", place.home()), "Audit trail")
    };
    question.answer()
}

#[cfg(test)]
mod tests {
    use super::words_of;

    #[test]
    fn whole_years_are_said_as_years() {
        for (days, words) in [
            (1, "1 day"),
            (30, "30 days"),
            (180, "180 days"),
            (365, "365 days"),
            (2191, "6 years"),
            (2192, "6 years"),
            (2200, "2200 days"),
            (2557, "7 years"),
        ] {
            assert_eq!(words_of(days), words);
        }
    }
}
