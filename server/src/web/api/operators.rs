//! Operators over the API: accounts, resets, and who is named as approver.

use actix_web::http::StatusCode;
use actix_web::web::{self, Json};
use actix_web::{HttpResponse, delete, get, patch, post, put};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::caller::Caller;
use super::page::{Page, PageQuery};
use super::problem::Problem;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{CouncilId, Moment, OperatorId, Permission, Role};
use crate::operations::operators::{self, Change, NewOperator};
use crate::operations::standing::{self, Standing};
use crate::operations::{Context, councils, passwords};
use crate::store::Transaction;
use crate::store::operators::Operator;

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(add)
        .service(list)
        .service(add_provider)
        .service(list_providers)
        .service(show)
        .service(change)
        .service(end)
        .service(reset)
        .service(approvers)
        .service(name_approver)
        .service(unname_approver);
}

/// An operator.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct OperatorView {
    id: OperatorId,
    /// The council; none for a provider.
    council_id: Option<CouncilId>,
    login: String,
    name: String,
    role: Role,
    /// Whether he may approve orders of the council now.
    approver: bool,
    /// Whether he has a second factor.
    mfa: bool,
    /// Since when the account is as it is; 72 hours later it may approve.
    standing_since: Moment,
    /// Whose hands the account has been in besides its owner's: whoever made it once there were devices, or reset it, and
    /// those behind him. Two accounts with a hand in common never decide together about an order.
    hands: Vec<String>,
    /// Where he is told by mail what happens.
    mail: Option<String>,
    created_at: Moment,
    /// When the account was ended, if it was.
    ended_at: Option<Moment>,
}

impl OperatorView {
    pub(super) fn of(operator: Operator, approver: bool) -> Self {
        Self {
            mfa: operator.has_second_factor(),
            id: operator.id,
            council_id: operator.council_id,
            login: operator.login,
            name: operator.name,
            role: operator.role,
            approver,
            standing_since: operator.standing_since,
            hands: operator.hands.split_whitespace().map(str::to_owned).collect(),
            mail: operator.mail,
            created_at: operator.created_at,
            ended_at: operator.ended_at,
        }
    }
}

fn view(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: Option<&CouncilId>,
    operator: Operator,
) -> Result<OperatorView> {
    let approver = match council {
        Some(council) => standing::of(tx, &operator, council, context.now)? == Standing::Established,
        None => false,
    };
    Ok(OperatorView::of(operator, approver))
}

/// An operator just added or reset.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct AddedOperator {
    #[serde(flatten)]
    pub(super) operator: OperatorView,
    /// Three words, shown once; to be changed at the first sign-in.
    pub(super) initial_password: String,
}

/// An operator to add.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct AddOperator {
    /// What he signs in with; small letters, digits and . _ - + @.
    login: String,
    /// The name to show.
    name: String,
    /// clerk, approver or auditor.
    role: Role,
}

/// Adds an operator of a council. The initial password is shown once.
#[utoipa::path(tag = "operators", responses((status = CREATED, body = AddedOperator)))]
#[post("/councils/{council}/operators")]
async fn add(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    body: Json<AddOperator>,
) -> Result<HttpResponse, Problem> {
    let body = body.into_inner();
    if body.role == Role::Provider {
        return Err(Error::invalid("role", "a provider belongs to no council: POST /api/v1/operators").into());
    }
    added(&app, &caller, Some(path.into_inner()), body.login, body.name, body.role).await
}

/// A provider to add.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct AddProvider {
    /// What he signs in with.
    login: String,
    /// The name to show.
    name: String,
}

/// Adds a provider, who sees every council. The initial password is shown once.
#[utoipa::path(tag = "operators", responses((status = CREATED, body = AddedOperator)))]
#[post("/operators")]
async fn add_provider(app: web::Data<App>, caller: Caller, body: Json<AddProvider>) -> Result<HttpResponse, Problem> {
    let body = body.into_inner();
    added(&app, &caller, None, body.login, body.name, Role::Provider).await
}

async fn added(
    app: &App,
    caller: &Caller,
    council: Option<String>,
    login: String,
    name: String,
    role: Role,
) -> Result<HttpResponse, Problem> {
    // Before any password is hashed.
    let named = council.clone();
    let council = caller
        .read(app, "may add operator", move |tx, context| match named {
            Some(name) => councils::permitted(tx, context, &name, Permission::Operators).map(Some),
            None => context.actor.require_installation(Permission::Installation).map(|()| None),
        })
        .await?;
    let initial = passwords::initial().await?;
    let new = NewOperator { council, login, name, role, password_hash: initial.hash };
    let words = initial.words;
    caller
        .write(app, "add operator", StatusCode::CREATED, move |tx, context| {
            let operator = operators::add(tx, context, &new)?;
            Ok(AddedOperator { operator: OperatorView::of(operator, false), initial_password: words.to_string() })
        })
        .await
}

/// Lists the operators of a council, ended ones too.
#[utoipa::path(tag = "operators", params(PageQuery), responses((status = OK, body = Page<OperatorView>)))]
#[get("/councils/{council}/operators")]
async fn list(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    query: web::Query<PageQuery>,
) -> Result<Json<Page<OperatorView>>, Problem> {
    let (name, query) = (path.into_inner(), query.into_inner());
    caller
        .read(&app, "list operators", move |tx, context| {
            let council = councils::permitted(tx, context, &name, Permission::Read)?;
            listed(tx, context, Some(&council), &query)
        })
        .await
        .map(Json)
}

/// Lists the providers.
#[utoipa::path(tag = "operators", params(PageQuery), responses((status = OK, body = Page<OperatorView>)))]
#[get("/operators")]
async fn list_providers(
    app: web::Data<App>,
    caller: Caller,
    query: web::Query<PageQuery>,
) -> Result<Json<Page<OperatorView>>, Problem> {
    let query = query.into_inner();
    caller.read(&app, "list providers", move |tx, context| listed(tx, context, None, &query)).await.map(Json)
}

fn listed(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: Option<&CouncilId>,
    query: &PageQuery,
) -> Result<Page<OperatorView>> {
    let rows = operators::list(tx, context, council, query.after.as_deref(), query.rows()?)?;
    let page = Page::of(query, rows, |row| row.id.to_string(), |row| row)?;
    let items = page.items.into_iter().map(|row| view(tx, context, council, row)).collect::<Result<Vec<_>>>()?;
    Ok(Page { items, next: page.next })
}

/// Shows an operator.
#[utoipa::path(tag = "operators", responses((status = OK, body = OperatorView)))]
#[get("/operators/{operator}")]
async fn show(app: web::Data<App>, caller: Caller, path: web::Path<String>) -> Result<Json<OperatorView>, Problem> {
    let id = OperatorId::from(path.into_inner());
    caller
        .read(&app, "show operator", move |tx, context| {
            let operator = operators::show(tx, context, &id)?;
            let council = operator.council_id.clone();
            view(tx, context, council.as_ref(), operator)
        })
        .await
        .map(Json)
}

/// What to change of an operator; what is left out stays.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangeOperator {
    login: Option<String>,
    name: Option<String>,
    /// Another role within the council.
    role: Option<Role>,
    /// The mail address; empty for none.
    mail: Option<String>,
}

/// Changes login, name, role or mail address. A new login, role or address makes the account wait 72 hours before it approves.
#[utoipa::path(tag = "operators", responses((status = OK, body = OperatorView)))]
#[patch("/operators/{operator}")]
async fn change(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    body: Json<ChangeOperator>,
) -> Result<HttpResponse, Problem> {
    let (id, body) = (OperatorId::from(path.into_inner()), body.into_inner());
    let change = Change { login: body.login, name: body.name, role: body.role, mail: body.mail };
    caller
        .write(&app, "change operator", StatusCode::OK, move |tx, context| {
            let operator = operators::change(tx, context, &id, &change)?;
            let council = operator.council_id.clone();
            view(tx, context, council.as_ref(), operator)
        })
        .await
}

/// Ends an account with its sign-ins and tokens. The last one that can act for a council, and the last provider, stay.
#[utoipa::path(tag = "operators", responses((status = OK, body = OperatorView)))]
#[delete("/operators/{operator}")]
async fn end(app: web::Data<App>, caller: Caller, path: web::Path<String>) -> Result<HttpResponse, Problem> {
    let id = OperatorId::from(path.into_inner());
    caller
        .write(&app, "end operator", StatusCode::OK, move |tx, context| {
            operators::end(tx, context, &id).map(|operator| OperatorView::of(operator, false))
        })
        .await
}

/// What to reset.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ResetOperator {
    /// Whether the second factor is taken away too (unless given: yes, since its phone is usually the lost one).
    second_factor: Option<bool>,
}

/// Gives another operator a new initial password, shown once. He waits 72 hours before he approves again.
#[utoipa::path(tag = "operators", responses((status = OK, body = AddedOperator)))]
#[post("/operators/{operator}/reset")]
async fn reset(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    body: Option<Json<ResetOperator>>,
) -> Result<HttpResponse, Problem> {
    let id = OperatorId::from(path.into_inner());
    let second_factor = body.and_then(|body| body.second_factor).unwrap_or(true);
    let asked = id.clone();
    caller.read(&app, "may reset operator", move |tx, context| operators::show(tx, context, &asked)).await?;
    let initial = passwords::initial().await?;
    caller
        .write(&app, "reset operator", StatusCode::OK, move |tx, context| {
            let operator = operators::reset(tx, context, &id, &initial.hash, second_factor)?;
            let initial_password = initial.words.to_string();
            Ok(AddedOperator { operator: OperatorView::of(operator, false), initial_password })
        })
        .await
}

/// A clerk or provider whom the council named as approver.
#[derive(Serialize, utoipa::ToSchema)]
struct NamedApproverView {
    operator_id: OperatorId,
    /// Who named him.
    named_by: OperatorId,
    named_at: Moment,
}

impl From<crate::store::named_approvers::NamedApprover> for NamedApproverView {
    fn from(named: crate::store::named_approvers::NamedApprover) -> Self {
        Self { operator_id: named.operator_id, named_by: named.named_by, named_at: named.named_at }
    }
}

/// Lists the clerks and providers whom the council named as approvers.
#[utoipa::path(tag = "operators", responses((status = OK, body = Page<NamedApproverView>)))]
#[get("/councils/{council}/approvers")]
async fn approvers(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
) -> Result<Json<Page<NamedApproverView>>, Problem> {
    let name = path.into_inner();
    caller
        .read(&app, "list approvers", move |tx, context| {
            let council = councils::permitted(tx, context, &name, Permission::Read)?;
            let items = operators::approvers(tx, context, &council)?.into_iter().map(Into::into).collect();
            Ok(Page { items, next: None })
        })
        .await
        .map(Json)
}

/// Names a clerk or provider as approver. Only another operator of the council itself may.
#[utoipa::path(tag = "operators", responses((status = OK, body = NamedApproverView)))]
#[put("/councils/{council}/approvers/{operator}")]
async fn name_approver(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (name, operator) = path.into_inner();
    let operator = OperatorId::from(operator);
    caller
        .write(&app, "name approver", StatusCode::OK, move |tx, context| {
            let council = councils::permitted(tx, context, &name, Permission::ApproveOrder)?;
            operators::name_approver(tx, context, &council, &operator).map(NamedApproverView::from)
        })
        .await
}

/// Takes a naming back.
#[utoipa::path(tag = "operators", responses((status = NO_CONTENT)))]
#[delete("/councils/{council}/approvers/{operator}")]
async fn unname_approver(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (name, operator) = path.into_inner();
    let operator = OperatorId::from(operator);
    caller
        .write(&app, "unname approver", StatusCode::NO_CONTENT, move |tx, context| {
            let council = councils::permitted(tx, context, &name, Permission::ApproveOrder)?;
            operators::unname_approver(tx, context, &council, &operator)
        })
        .await
}
