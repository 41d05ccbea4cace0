//! Signing in and out over the API, and the first set-up.

use actix_web::http::StatusCode;
use actix_web::http::header::USER_AGENT;
use actix_web::web::{self, Json};
use actix_web::{HttpRequest, HttpResponse, delete, get, post};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;
use zeroize::Zeroizing;

use super::caller::{Address, Caller};
use super::operators::{AddedOperator, OperatorView};
use super::page::{Page, PageQuery};
use super::problem::Problem;
use crate::app::App;
use crate::error::Error;
use crate::keys::sha256_hex;
use crate::model::{Actor, Moment, OperatorId, SessionId, SignedIn};
use crate::operations::operators::{self, FirstOperator};
use crate::operations::passwords;
use crate::operations::sign_in::{self, Shown};
use crate::store::sessions::Session;
use crate::web::sign_in::{self as door, Who};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(set_up)
        .service(open)
        .service(own)
        .service(confirm)
        .service(sign_out)
        .service(end)
        .service(of_operator);
}

/// The first operator.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct SetUp {
    /// The one-use code that the server printed at its first start.
    code: String,
    /// What to sign in with.
    login: String,
    /// The name to show.
    name: String,
    /// Id or short name of a council, to begin with its clerk instead of a provider.
    council: Option<String>,
}

/// Makes the first operator, a provider unless a council is named. Works once. The initial password is shown once.
#[utoipa::path(tag = "sign-in", security(()), responses((status = CREATED, body = AddedOperator)))]
#[post("/set-up")]
async fn set_up(app: web::Data<App>, address: Address, body: Json<SetUp>) -> Result<HttpResponse, Problem> {
    let body = body.into_inner();
    let code_hash = sha256_hex(body.code.trim().to_uppercase().as_bytes());
    // A guess has to wait like any other; the code has a hundred random bits besides.
    let (now, from) = (app.clock.now(), address.0.clone());
    app.database.write("count a set-up", move |tx| sign_in::begin(tx, "set-up code", &from, now).map(drop)).await?;
    let initial = passwords::initial().await?;
    let (context, hash) = (app.context(Actor::System), initial.hash.clone());
    let operator = app
        .database
        .write("set up", move |tx| {
            let first = FirstOperator {
                council: body.council.clone(),
                login: body.login.clone(),
                name: body.name.clone(),
                password_hash: hash.clone(),
                own_password: false,
            };
            operators::set_up(tx, &context, &code_hash, &first)
        })
        .await?;
    let answer =
        AddedOperator { operator: OperatorView::of(operator, false), initial_password: initial.words.to_string() };
    Ok(HttpResponse::Created().json(answer))
}

/// What to sign in with.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct SignIn {
    login: String,
    password: String,
    /// The six digits that the authenticator app shows now.
    totp: Option<String>,
    /// A recovery code, when the app is out of reach.
    recovery_code: Option<String>,
}

/// A session just opened.
#[derive(Serialize, utoipa::ToSchema)]
struct Opened {
    /// What to send as `Authorization: Bearer …`; shown once.
    token: String,
    id: SessionId,
    /// When it is over at the latest; unused, it is over after 20 minutes.
    expires_at: Moment,
    /// The initial password must be changed before anything else.
    must_change_password: bool,
    /// Whether a second factor was shown; without one, all that can be done is to set one up.
    mfa: bool,
    operator: OperatorView,
}

/// Signs in.
#[utoipa::path(tag = "sign-in", security(()), responses((status = CREATED, body = Opened)))]
#[post("/sessions")]
async fn open(
    app: web::Data<App>,
    request: HttpRequest,
    address: Address,
    body: Json<SignIn>,
) -> Result<HttpResponse, Problem> {
    let body = body.into_inner();
    let agent = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let shown = Shown {
        password: Zeroizing::new(body.password),
        totp: body.totp,
        recovery_code: body.recovery_code.map(Zeroizing::new),
    };
    let opened = door::sign_in(&app, &body.login, &shown, &address.0, agent).await?;
    Ok(HttpResponse::Created().json(Opened {
        token: opened.token.to_string(),
        id: opened.session.id,
        expires_at: opened.session.expires_at,
        must_change_password: opened.operator.must_change_password,
        mfa: opened.session.mfa_at.is_some(),
        operator: OperatorView::of(opened.operator, false),
    }))
}

/// A sign-in that is not over.
#[derive(Serialize, utoipa::ToSchema)]
struct SessionView {
    id: SessionId,
    created_at: Moment,
    /// When it was last used, to the minute.
    last_seen_at: Moment,
    expires_at: Moment,
    /// Where it was opened from.
    address: String,
    /// The program, as it calls itself.
    agent: String,
    /// Whether a second factor was shown.
    mfa: bool,
    /// Whether it is the one that asks.
    current: bool,
}

impl SessionView {
    fn of(session: Session, actor: &Actor) -> Self {
        Self {
            current: actor.signed_in().is_some_and(|signed_in| signed_in.session == session.id),
            mfa: session.mfa_at.is_some(),
            id: session.id,
            created_at: session.created_at,
            last_seen_at: session.last_seen_at,
            expires_at: session.expires_at,
            address: session.address,
            agent: session.agent,
        }
    }
}

pub(super) fn signed_in(caller: &Caller) -> Result<SignedIn, Problem> {
    let signed_in = caller.actor.signed_in().cloned();
    signed_in.ok_or_else(|| Error::forbidden("sign in first: only a person has sessions and an account").into())
}

async fn listed(
    app: &App,
    caller: &Caller,
    operator: OperatorId,
    query: PageQuery,
) -> Result<Json<Page<SessionView>>, Problem> {
    caller
        .read(app, "list sessions", move |tx, context| {
            let rows = sign_in::sessions(tx, context, &operator, query.after.as_deref(), query.rows()?)?;
            Page::of(&query, rows, |row| row.id.to_string(), |row| SessionView::of(row, &context.actor))
        })
        .await
        .map(Json)
}

/// Lists the caller's own sign-ins.
#[utoipa::path(tag = "sign-in", params(PageQuery), responses((status = OK, body = Page<SessionView>)))]
#[get("/sessions")]
async fn own(
    app: web::Data<App>,
    caller: Caller,
    query: web::Query<PageQuery>,
) -> Result<Json<Page<SessionView>>, Problem> {
    let operator = signed_in(&caller)?.operator;
    listed(&app, &caller, operator, query.into_inner()).await
}

/// Lists an operator's sign-ins.
#[utoipa::path(tag = "operators", params(PageQuery), responses((status = OK, body = Page<SessionView>)))]
#[get("/operators/{operator}/sessions")]
async fn of_operator(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    query: web::Query<PageQuery>,
) -> Result<Json<Page<SessionView>>, Problem> {
    listed(&app, &caller, OperatorId::from(path.into_inner()), query.into_inner()).await
}

/// Password and second factor, shown again.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Confirm {
    password: String,
    /// The six digits that the authenticator app shows now.
    totp: Option<String>,
    /// A recovery code instead.
    recovery_code: Option<String>,
}

/// When it was confirmed.
#[derive(Serialize, utoipa::ToSchema)]
struct Confirmed {
    /// Orders may be requested and approved for five minutes from here.
    reauthenticated_at: Moment,
}

/// Confirms who one is, for what needs it to be certain.
#[utoipa::path(tag = "sign-in", responses((status = OK, body = Confirmed)))]
#[post("/sessions/current/confirm")]
async fn confirm(
    app: web::Data<App>,
    caller: Caller,
    address: Address,
    body: Json<Confirm>,
) -> Result<HttpResponse, Problem> {
    let (body, signed_in) = (body.into_inner(), signed_in(&caller)?);
    let shown = Shown {
        password: Zeroizing::new(body.password),
        totp: body.totp,
        recovery_code: body.recovery_code.map(Zeroizing::new),
    };
    let (tried, second) = door::check(&app, Who::SignedIn(&signed_in), &shown, &address.0).await?;
    caller
        .write(&app, "confirm session", StatusCode::OK, move |tx, context| {
            sign_in::confirm(tx, context, &tried, &second).map(|reauthenticated_at| Confirmed { reauthenticated_at })
        })
        .await
}

/// Signs out.
#[utoipa::path(tag = "sign-in", responses((status = NO_CONTENT)))]
#[delete("/sessions/current")]
async fn sign_out(app: web::Data<App>, caller: Caller) -> Result<HttpResponse, Problem> {
    let session = signed_in(&caller)?.session;
    caller
        .write(&app, "sign out", StatusCode::NO_CONTENT, move |tx, context| sign_in::revoke(tx, context, &session))
        .await
}

/// Ends a sign-in, one's own or of someone whose account one keeps.
#[utoipa::path(tag = "sign-in", responses((status = NO_CONTENT)))]
#[delete("/sessions/{session}")]
async fn end(app: web::Data<App>, caller: Caller, path: web::Path<String>) -> Result<HttpResponse, Problem> {
    let session = SessionId::from(path.into_inner());
    caller
        .write(&app, "end session", StatusCode::NO_CONTENT, move |tx, context| sign_in::revoke(tx, context, &session))
        .await
}
