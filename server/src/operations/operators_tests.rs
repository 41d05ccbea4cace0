//! Accounts and standing: who may make, end, reset and name whom, and who counts as established.

use chrono::Duration;

use super::operators::{self, Change, NewOperator, require_established_approver};
use super::sign_in::{Standing, standing};
use super::{Context, accounts, second_factor};
use crate::error::{Error, Result};
use crate::model::{Actor, CouncilId, OperatorId, Role, SessionId, SignedIn};
use crate::store::operators::Operator;
use crate::store::sessions::Session;
use crate::store::{self, Transaction};
use crate::testing::{Bench, on_both};

/// Adds an operator as `by` would, without a password that anyone knows.
pub(crate) fn add(
    tx: &mut Transaction<'_>,
    by: &Context,
    council: Option<&CouncilId>,
    login: &str,
    role: Role,
) -> Result<Operator> {
    let new = NewOperator {
        council: council.cloned(),
        login: login.to_owned(),
        name: login.to_uppercase(),
        role,
        password_hash: "x".to_owned(),
    };
    operators::add(tx, by, &new)
}

/// The operator as someone signed in just now with his second factor, with a session in the database.
pub(crate) fn signed_in(tx: &mut Transaction<'_>, by: &Context, operator: &Operator) -> Result<Context> {
    let session = Session {
        id: SessionId::new(),
        operator_id: operator.id.clone(),
        token_hash: SessionId::new().to_string(),
        created_at: by.now,
        last_seen_at: by.now,
        expires_at: by.now + Duration::hours(12),
        mfa_at: Some(by.now),
        reauthenticated_at: Some(by.now),
        address: "local".to_owned(),
        agent: String::new(),
        revoked_at: None,
    };
    store::sessions::insert(tx, &session)?;
    let mut row = store::operators::find(tx, &operator.id)?.expect("added before");
    row.must_change_password = false;
    store::operators::update(tx, &row)?;
    let actor = Actor::Operator(SignedIn {
        operator: operator.id.clone(),
        session: session.id,
        name: operator.name.clone(),
        role: operator.role,
        council: operator.council_id.clone(),
        mfa: true,
        reauthenticated_at: Some(by.now),
        must_change_password: false,
    });
    Ok(Context { actor, ..by.clone() })
}

fn set_second_factor(tx: &mut Transaction<'_>, own: &Context) -> Result<()> {
    let begun = accounts::begin_second_factor(tx, own)?;
    let code = second_factor::code_of(&begun.secret, own.now);
    accounts::confirm_second_factor(tx, own, &code).map(drop)
}

fn give_a_device(tx: &mut Transaction<'_>, council: &CouncilId, by: &Context) -> Result<()> {
    store::operators::insert_test_device(tx, council, by.now)
}

async fn in_council<T: Send + 'static>(
    bench: &Bench,
    work: impl Fn(&mut Transaction<'_>, &Context, &CouncilId) -> Result<T> + Send + 'static,
) -> T {
    let council = bench.council(&format!("c{}", CouncilId::new().as_str().replace('-', ""))).await;
    let context = bench.context(Actor::System);
    bench.database.write("test", move |tx| work(tx, &context, &council)).await.expect("the test's own work")
}

fn is_forbidden<T: std::fmt::Debug>(done: Result<T>, word: &str) {
    match done {
        Err(Error::Forbidden(text)) => assert!(text.contains(word), "{text:?} should speak of {word:?}"),
        other => panic!("expected a refusal that speaks of {word:?}, got {other:?}"),
    }
}

#[tokio::test]
async fn an_account_made_at_set_up_approves_at_once_and_a_later_one_after_72_hours() {
    on_both(|bench| async move {
        in_council(&bench, |tx, system, council| {
            let clerk = add(tx, system, Some(council), &format!("clerk-{council}"), Role::Clerk)?;
            let chair = add(tx, system, Some(council), &format!("chair-{council}"), Role::Approver)?;
            assert!(chair.made_at_set_up);
            let own = signed_in(tx, system, &chair)?;
            let approver = own.actor.signed_in().expect("signed in").clone();
            is_forbidden(require_established_approver(tx, &own, council, &approver, &clerk.id), "second factor");
            give_a_device(tx, council, system)?;
            set_second_factor(tx, &own)?;
            assert_eq!(standing(tx, &chair.id, council, own.now)?, Standing::Established, "the very first one");
            require_established_approver(tx, &own, council, &approver, &clerk.id)?;
            is_forbidden(require_established_approver(tx, &own, council, &approver, &chair.id), "someone else");

            // Another second factor: the clock starts again.
            let own = Context { now: own.now + Duration::minutes(1), ..own };
            set_second_factor(tx, &own)?;
            let from = own.now + Duration::hours(72);
            assert_eq!(standing(tx, &chair.id, council, own.now)?, Standing::From(from));
            is_forbidden(require_established_approver(tx, &own, council, &approver, &clerk.id), "from");
            let later = Context { now: from, ..own.clone() };
            require_established_approver(tx, &later, council, &approver, &clerk.id)?;

            // An account made once there are devices, by the clerk: never for what the clerk asks.
            let by_clerk = signed_in(tx, system, &clerk)?;
            let second = add(tx, &by_clerk, Some(council), &format!("second-{council}"), Role::Approver)?;
            assert!(!second.made_at_set_up);
            let own = signed_in(tx, system, &second)?;
            set_second_factor(tx, &own)?;
            let approver = own.actor.signed_in().expect("signed in").clone();
            is_forbidden(require_established_approver(tx, &own, council, &approver, &chair.id), "from");
            let later = Context { now: own.now + Duration::hours(73), ..own.clone() };
            require_established_approver(tx, &later, council, &approver, &chair.id)?;
            is_forbidden(require_established_approver(tx, &later, council, &approver, &clerk.id), "made or reset");
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_reset_account_never_approves_what_the_resetter_asks() {
    on_both(|bench| async move {
        in_council(&bench, |tx, system, council| {
            let clerk = add(tx, system, Some(council), &format!("clerk-{council}"), Role::Clerk)?;
            let chair = add(tx, system, Some(council), &format!("chair-{council}"), Role::Approver)?;
            let other = add(tx, system, Some(council), &format!("other-{council}"), Role::Clerk)?;
            let (by_clerk, own) = (signed_in(tx, system, &clerk)?, signed_in(tx, system, &chair)?);
            set_second_factor(tx, &own)?;
            is_forbidden(operators::reset(tx, &own, &clerk.id, "y", true), "role");
            is_forbidden(operators::reset(tx, &by_clerk, &clerk.id, "y", true), "your own");
            let reset = operators::reset(tx, &by_clerk, &chair.id, "y", true)?;
            assert!(reset.must_change_password && reset.sealed_totp.is_none());
            let over = store::sessions::page_open(tx, &chair.id, system.now, Duration::minutes(20), None, 10)?;
            assert!(over.is_empty(), "the reset ended the session");
            let own = signed_in(tx, system, &chair)?;
            set_second_factor(tx, &own)?;
            let approver = own.actor.signed_in().expect("signed in").clone();
            is_forbidden(require_established_approver(tx, &own, council, &approver, &other.id), "from");
            let later = Context { now: own.now + Duration::hours(73), ..own.clone() };
            require_established_approver(tx, &later, council, &approver, &other.id)?;
            is_forbidden(require_established_approver(tx, &later, council, &approver, &clerk.id), "made or reset");
            let alerts = store::alerts::page(tx, council, true, None, 10)?;
            assert!(alerts.iter().any(|alert| alert.kind == "operator_reset"));
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_clerk_or_provider_approves_only_where_the_council_named_him() {
    on_both(|bench| async move {
        let other = bench.council("other").await;
        in_council(&bench, move |tx, system, council| {
            let clerk = add(tx, system, Some(council), &format!("clerk-{council}"), Role::Clerk)?;
            let chair = add(tx, system, Some(council), &format!("chair-{council}"), Role::Approver)?;
            let auditor = add(tx, system, Some(council), &format!("auditor-{council}"), Role::Auditor)?;
            let provider = add(tx, system, None, &format!("provider-{council}"), Role::Provider)?;
            let mut contexts = Vec::new();
            for operator in [&clerk, &chair, &auditor, &provider] {
                let own = signed_in(tx, system, operator)?;
                set_second_factor(tx, &own)?;
                contexts.push(own);
            }
            let [by_clerk, by_chair, by_auditor, by_provider] = &contexts[..] else { panic!("four") };
            let who = |context: &Context| context.actor.signed_in().expect("signed in").clone();
            let nobody = OperatorId::new();
            for context in [by_clerk, by_provider] {
                is_forbidden(require_established_approver(tx, context, council, &who(context), &nobody), "named");
            }
            is_forbidden(require_established_approver(tx, by_auditor, council, &who(by_auditor), &nobody), "auditor");
            is_forbidden(operators::name_approver(tx, by_provider, council, &clerk.id), "council itself");
            is_forbidden(operators::name_approver(tx, by_clerk, council, &clerk.id), "someone else");
            is_forbidden(operators::name_approver(tx, by_auditor, council, &clerk.id), "role");
            let at_other = operators::name_approver(tx, by_clerk, &other, &provider.id);
            assert!(matches!(at_other, Err(Error::NotFound(_))), "another council does not exist for him");
            assert!(matches!(operators::name_approver(tx, by_clerk, council, &auditor.id), Err(Error::Conflict(_))));
            operators::name_approver(tx, by_clerk, council, &provider.id)?;
            operators::name_approver(tx, by_chair, council, &clerk.id)?;
            for context in [by_clerk, by_provider] {
                require_established_approver(tx, context, council, &who(context), &nobody)?;
            }
            let elsewhere = require_established_approver(tx, by_provider, &other, &who(by_provider), &nobody);
            is_forbidden(elsewhere, "named");
            is_forbidden(
                require_established_approver(tx, by_chair, &other, &who(by_chair), &nobody),
                "another council",
            );
            operators::unname_approver(tx, by_chair, council, &provider.id)?;
            is_forbidden(require_established_approver(tx, by_provider, council, &who(by_provider), &nobody), "named");
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn the_last_operator_stays_and_an_ended_one_loses_everything() {
    on_both(|bench| async move {
        in_council(&bench, |tx, system, council| {
            let clerk = add(tx, system, Some(council), &format!("Clerk-{council}"), Role::Clerk)?;
            assert!(clerk.login.starts_with("clerk-"), "logins are small letters");
            let taken = add(tx, system, Some(council), &clerk.login, Role::Clerk);
            assert!(matches!(taken, Err(Error::Conflict(_))));
            assert!(matches!(operators::end(tx, system, &clerk.id), Err(Error::Conflict(_))), "the last one");
            let second = add(tx, system, Some(council), &format!("second-{council}"), Role::Clerk)?;
            let by_second = signed_in(tx, system, &second)?;
            let (token, _) =
                super::tokens::issue(tx, &by_second, council, "t", &[crate::model::TokenScope::Read], None)?;
            let by_clerk = signed_in(tx, system, &clerk)?;
            operators::end(tx, &by_clerk, &second.id)?;
            let session = by_second.actor.signed_in().expect("signed in").session.clone();
            assert!(store::sessions::find(tx, &session)?.expect("kept").revoked_at.is_some());
            assert!(store::api_tokens::find(tx, &token.id)?.expect("kept").revoked_at.is_some());
            assert_eq!(standing(tx, &second.id, council, system.now)?, Standing::No("this account was ended"));
            assert!(matches!(operators::end(tx, &by_clerk, &clerk.id), Err(Error::Conflict(_))), "the last one again");

            let provider = add(tx, system, None, &format!("provider-{council}"), Role::Provider)?;
            assert!(matches!(operators::end(tx, system, &provider.id), Err(Error::Conflict(_))), "the last provider");
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn only_the_entitled_keep_accounts_and_strangers_see_none() {
    on_both(|bench| async move {
        let other = bench.council("other").await;
        in_council(&bench, move |tx, system, council| {
            let clerk = add(tx, system, Some(council), &format!("clerk-{council}"), Role::Clerk)?;
            let chair = add(tx, system, Some(council), &format!("chair-{council}"), Role::Approver)?;
            let stranger = add(tx, system, Some(&other), &format!("stranger-{council}"), Role::Clerk)?;
            let by_clerk = signed_in(tx, system, &clerk)?;
            let by_chair = signed_in(tx, system, &chair)?;
            let by_stranger = signed_in(tx, system, &stranger)?;
            is_forbidden(add(tx, &by_chair, Some(council), "x-1", Role::Auditor), "role");
            is_forbidden(add(tx, &by_clerk, None, "x-2", Role::Provider), "provider");
            assert!(matches!(add(tx, &by_clerk, Some(&other), "x-3", Role::Clerk), Err(Error::NotFound(_))));
            for id in [&clerk.id, &chair.id] {
                assert!(matches!(operators::show(tx, &by_stranger, id), Err(Error::NotFound("operator"))));
                assert!(matches!(operators::end(tx, &by_stranger, id), Err(Error::NotFound("operator"))));
                assert!(matches!(operators::reset(tx, &by_stranger, id, "y", true), Err(Error::NotFound("operator"))));
            }
            let mut unchanged = by_clerk.clone();
            if let Actor::Operator(signed_in) = &mut unchanged.actor {
                signed_in.must_change_password = true;
            }
            is_forbidden(add(tx, &unchanged, Some(council), "x-4", Role::Clerk), "initial password");

            // A new role or login restarts the clock; nobody changes his own role.
            let role = Change { role: Some(Role::Approver), ..Change::default() };
            is_forbidden(operators::change(tx, &by_clerk, &clerk.id, &role), "someone else");
            let role = Change { role: Some(Role::Clerk), ..Change::default() };
            let later = Context { now: by_clerk.now + Duration::hours(1), ..by_clerk.clone() };
            let changed = operators::change(tx, &later, &chair.id, &role)?;
            assert_eq!((changed.standing_since, changed.role), (later.now, Role::Clerk));
            let login = Change { login: Some("New.Login".to_owned()), ..Change::default() };
            let changed = operators::change(tx, &by_clerk, &clerk.id, &login)?;
            assert_eq!((changed.login.as_str(), changed.standing_since), ("new.login", by_clerk.now));
            Ok(())
        })
        .await;
    })
    .await;
}
