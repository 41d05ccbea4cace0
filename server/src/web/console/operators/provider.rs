//! Naming a provider as approver, by the sign-in name that he tells: a council does not see the list of providers.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::list_of;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::Permission;
use crate::operations::{councils, operators};
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::page::{Frame, Place, Question};
use crate::web::console::visitor::Visitor;

async fn page(app: &App, visitor: &Visitor, name: &str, errors: &Errors) -> Result<Question> {
    let wanted = name.to_owned();
    let place = visitor
        .read(app, "show council", move |tx, context| {
            let council = councils::permitted(tx, context, &wanted, Permission::ApproveOrder)?;
            Place::of(tx, &council)
        })
        .await?;
    let action = format!("{}/approvers", place.home());
    let field = Field::line("login", "The provider's sign-in name").hint("Ask them on the telephone.").most(64).short();
    let form = Form::new(&action, visitor.token(app, &action)?, "Let them approve").fields(vec![field]);
    Ok(Question::new(Frame::new(app, visitor, "Name a provider as approver", Some(&place))?.with(errors), form)
        .back(list_of(Some(&place)), "Operators")
        .lead("Somebody at your IT provider may then approve that a phone is erased, if somebody else asked for it.")
        .lead("Nobody ever approves what they asked for themselves. You can take it back at any time."))
}

/// GET: the question.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    page(&app, &visitor, &path.into_inner(), &Errors::default()).await?.answer()
}

/// POST: names the provider.
pub(super) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let name = path.into_inner();
    let (wanted, login) = (name.clone(), sent.text("login"));
    let done = visitor
        .change(&app, &sent, "name provider as approver", move |tx, context| {
            let council = councils::permitted(tx, context, &wanted, Permission::ApproveOrder)?;
            operators::name_provider(tx, context, &council, &login).map(drop)
        })
        .await;
    match done {
        Ok(()) => Ok(go(&format!("/console/councils/{name}/operators"))),
        Err(Error::NotFound(_)) => {
            let errors = Errors::one("login", "No provider signs in with this name");
            page(&app, &visitor, &name, &errors).await?.filled(&sent).answer()
        }
        Err(error) => page(&app, &visitor, &name, &Errors::of(error)?).await?.filled(&sent).answer(),
    }
}
