//! Whether the trail is whole.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use crate::app::App;
use crate::operations::audit;
use crate::web::console::failure::Failure;
use crate::web::console::form::Sent;
use crate::web::console::page::{Frame, Question};
use crate::web::console::visitor::Visitor;

/// How many faults are told; a trail with more is broken all the same.
const MOST: usize = 20;

/// POST: reads the whole trail; changes nothing.
pub(super) async fn send(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
    _: Sent,
) -> Result<HttpResponse, Failure> {
    let place = super::place_of(&app, &visitor, &path.into_inner()).await?;
    let council = place.id.clone();
    let found = visitor
        .read(&app, "verify audit trail", move |tx, context| audit::verify_council(tx, context, &council, &[]))
        .await?;
    let whole = found.problems.is_empty();
    let title = if whole { "The trail is whole" } else { "The trail is not whole" };
    let mut question = Question::plain(Frame::new(&app, &visitor, title, Some(&place))?)
        .back(format!("{}/audit", place.home()), "Audit trail")
        .fact("Rows read", found.rows.to_string())
        .fact("Rows whose particulars are no longer kept", found.purged.to_string())
        .fact("Last row written", found.last_at.map_or_else(|| "None".to_owned(), |at| place.zone.when(at)));
    if whole {
        question = question.lead("Every row is as it was written, in its order, and none is missing.");
    } else {
        question =
            question.warning("Rows were changed or taken away by other means than Beadle. Tell your provider at once.");
        for problem in found.problems.iter().take(MOST) {
            question = question.lead(problem);
        }
        if found.problems.len() > MOST {
            question = question.lead(format!("There are {} more faults.", found.problems.len() - MOST));
        }
    }
    question.answer()
}
