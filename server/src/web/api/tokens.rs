//! Bearer tokens over the API: issued, listed, revoked.

use actix_web::http::StatusCode;
use actix_web::web::{self, Json};
use actix_web::{HttpResponse, delete, get, post};
use chrono::Duration;
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::caller::Caller;
use super::page::{Page, PageQuery};
use super::problem::Problem;
use crate::app::App;
use crate::model::{Moment, OperatorId, Permission, TokenId, TokenScope};
use crate::operations::{councils, tokens};
use crate::store::api_tokens::ApiToken;

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(issue).service(list).service(revoke);
}

/// A bearer token.
#[derive(Serialize, utoipa::ToSchema)]
struct TokenView {
    id: TokenId,
    /// What it is for.
    name: String,
    /// What it may do.
    scopes: Vec<String>,
    issued_by: OperatorId,
    issued_at: Moment,
    expires_at: Moment,
    revoked_at: Option<Moment>,
}

impl From<ApiToken> for TokenView {
    fn from(token: ApiToken) -> Self {
        Self {
            id: token.id,
            name: token.name,
            scopes: token.scopes.split_whitespace().map(str::to_owned).collect(),
            issued_by: token.issued_by,
            issued_at: token.issued_at,
            expires_at: token.expires_at,
            revoked_at: token.revoked_at,
        }
    }
}

/// A token to issue.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct IssueToken {
    /// What it is for.
    name: String,
    /// What it may do: read, report, lock, register. None of these touches an order.
    scopes: Vec<TokenScope>,
    /// How long it lasts, in minutes; 60 unless given, at most 1440 (24 hours).
    minutes: Option<i64>,
}

/// A token just issued.
#[derive(Serialize, utoipa::ToSchema)]
struct IssuedToken {
    #[serde(flatten)]
    about: TokenView,
    /// The JWT, shown once.
    token: String,
}

/// Issues a token for programs, for one council.
#[utoipa::path(tag = "tokens", responses((status = CREATED, body = IssuedToken)))]
#[post("/councils/{council}/tokens")]
async fn issue(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    body: Json<IssueToken>,
) -> Result<HttpResponse, Problem> {
    let (council, body) = (path.into_inner(), body.into_inner());
    // Longer ones are refused all the same; the bound keeps the number from overflowing.
    let life = body.minutes.map(|minutes| Duration::minutes(minutes.clamp(-1, 1_000_000)));
    caller
        .write(&app, "issue token", StatusCode::CREATED, move |tx, context| {
            let council = councils::permitted(tx, context, &council, Permission::Operators)?;
            let (row, jwt) = tokens::issue(tx, context, &council, &body.name, &body.scopes, life)?;
            Ok(IssuedToken { about: row.into(), token: jwt.to_string() })
        })
        .await
}

/// Lists a council's tokens, old ones too.
#[utoipa::path(tag = "tokens", params(PageQuery), responses((status = OK, body = Page<TokenView>)))]
#[get("/councils/{council}/tokens")]
async fn list(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    query: web::Query<PageQuery>,
) -> Result<Json<Page<TokenView>>, Problem> {
    let (name, query) = (path.into_inner(), query.into_inner());
    caller
        .read(&app, "list tokens", move |tx, context| {
            let council = councils::permitted(tx, context, &name, Permission::Read)?;
            let rows = tokens::list(tx, context, &council, query.after.as_deref(), query.rows()?)?;
            Page::of(&query, rows, |row| row.id.to_string(), TokenView::from)
        })
        .await
        .map(Json)
}

/// Revokes a token, at once.
#[utoipa::path(tag = "tokens", responses((status = NO_CONTENT)))]
#[delete("/tokens/{token}")]
async fn revoke(app: web::Data<App>, caller: Caller, path: web::Path<String>) -> Result<HttpResponse, Problem> {
    let id = TokenId::from(path.into_inner());
    caller
        .write(&app, "revoke token", StatusCode::NO_CONTENT, move |tx, context| tokens::revoke(tx, context, &id))
        .await
}
