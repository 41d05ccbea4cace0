//! Accounts and standing: who may make, end, reset and name whom, and who counts as established.

use chrono::Duration;

use super::operators::{self, Change, NewOperator};
use super::sign_in::{Standing, standing};
use super::{Context, accounts, alerts, hands, second_factor, tokens};
use crate::error::{Error, Result};
use crate::model::{Actor, CouncilId, OperatorId, Role, SessionId, SignedIn, TokenId, TokenScope};
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

/// Whether `approver` may decide now about what `requested_by` asked for just now.
fn require_established_approver(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    approver: &SignedIn,
    requested_by: &OperatorId,
) -> Result<()> {
    operators::require_established_approver(tx, context, council, approver, requested_by, context.now)
}

/// Whether `second` would be let through, with everything fresh, 73 hours after `system`'s now, as the second person to what
/// `first` asks then.
fn decides(
    tx: &mut Transaction<'_>,
    system: &Context,
    council: &CouncilId,
    second: &Operator,
    first: &Operator,
) -> Result<()> {
    let own = signed_in(tx, &Context { now: system.now + Duration::hours(73), ..system.clone() }, second)?;
    let approver = own.actor.signed_in().expect("signed in").clone();
    require_established_approver(tx, &own, council, &approver, &first.id)
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
            let nobody = add(tx, system, Some(council), &format!("asks-{council}"), Role::Clerk)?.id;
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
            let (token, _) = tokens::issue(tx, &by_second, council, "t", &[TokenScope::Read], None)?;
            let by_clerk = signed_in(tx, system, &clerk)?;
            operators::end(tx, &by_clerk, &second.id)?;
            let session = by_second.actor.signed_in().expect("signed in").session.clone();
            assert!(store::sessions::find(tx, &session)?.expect("kept").revoked_at.is_some());
            assert!(store::api_tokens::find(tx, &token.id)?.expect("kept").revoked_at.is_some());
            assert_eq!(standing(tx, &second.id, council, system.now)?, Standing::No("this account was ended"));
            assert!(matches!(operators::end(tx, &by_clerk, &clerk.id), Err(Error::Conflict(_))), "the last one again");

            // Whoever only reads does not count, and a role can be lost as an account can.
            let auditor = add(tx, &by_clerk, Some(council), &format!("auditor-{council}"), Role::Auditor)?;
            assert!(matches!(operators::end(tx, &by_clerk, &clerk.id), Err(Error::Conflict(_))), "beside an auditor");
            let chair = add(tx, &by_clerk, Some(council), &format!("chair-{council}"), Role::Approver)?;
            let refused = operators::end(tx, &by_clerk, &clerk.id);
            assert!(matches!(refused, Err(Error::Conflict(_))), "a chair adds nobody, and there is no provider");

            let provider = add(tx, system, None, &format!("provider-{council}"), Role::Provider)?;
            assert!(matches!(operators::end(tx, system, &provider.id), Err(Error::Conflict(_))), "the last provider");
            operators::end(tx, &by_clerk, &clerk.id)?;
            assert!(matches!(operators::end(tx, system, &chair.id), Err(Error::Conflict(_))), "the last who can act");
            let role = Change { role: Some(Role::Auditor), ..Change::default() };
            let refused = operators::change(tx, system, &chair.id, &role);
            assert!(matches!(refused, Err(Error::Conflict(_))), "an auditor could not act");
            operators::end(tx, system, &auditor.id)?;
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

/// A council as every council begins: its provider made clerk and chair, then came the first phone.
struct Town {
    provider: Operator,
    clerk: Operator,
    chair: Operator,
}

fn town(tx: &mut Transaction<'_>, system: &Context, council: &CouncilId) -> Result<Town> {
    let provider = add(tx, system, None, &format!("provider-{council}"), Role::Provider)?;
    let by_provider = signed_in(tx, system, &provider)?;
    let clerk = add(tx, &by_provider, Some(council), &format!("clerk-{council}"), Role::Clerk)?;
    let chair = add(tx, &by_provider, Some(council), &format!("chair-{council}"), Role::Approver)?;
    for operator in [&provider, &clerk, &chair] {
        let own = signed_in(tx, system, operator)?;
        set_second_factor(tx, &own)?;
    }
    give_a_device(tx, council, system)?;
    Ok(Town { provider, clerk, chair })
}

/// Adds an account as `by` and gives it a second factor, as a thief does who keeps it for himself.
fn puppet(
    tx: &mut Transaction<'_>,
    system: &Context,
    by: &Operator,
    council: &CouncilId,
    login: &str,
    role: Role,
) -> Result<Operator> {
    let by = signed_in(tx, system, by)?;
    let made = add(tx, &by, Some(council), &format!("{login}-{council}"), role)?;
    let own = signed_in(tx, system, &made)?;
    set_second_factor(tx, &own)?;
    Ok(made)
}

/// Resets `operator` as `by` does, and sets its second factor up again.
fn reset(
    tx: &mut Transaction<'_>,
    system: &Context,
    by: &Context,
    operator: &Operator,
    second_factor: bool,
) -> Result<()> {
    operators::reset(tx, by, &operator.id, "y", second_factor)?;
    let own = signed_in(tx, system, operator)?;
    if second_factor { set_second_factor(tx, &own) } else { Ok(()) }
}

#[tokio::test]
async fn one_stolen_account_is_never_both_persons_of_an_order() {
    on_both(|bench| async move {
        in_council(&bench, |tx, system, council| {
            let Town { provider, clerk, chair } = town(tx, system, council)?;
            // The ordinary council: one and the same provider made both, and they decide for each other.
            decides(tx, system, council, &chair, &clerk)?;
            decides(tx, system, council, &chair, &provider)?;

            // A stolen provider makes a clerk who asks and an approver who approves, or approves what he asks himself.
            let asks = puppet(tx, system, &provider, council, "asks", Role::Clerk)?;
            let approves = puppet(tx, system, &provider, council, "approves", Role::Approver)?;
            is_forbidden(decides(tx, system, council, &approves, &asks), "made or reset");
            is_forbidden(decides(tx, system, council, &approves, &provider), "made or reset");
            // Over one account more the hand is still his.
            let deeper = puppet(tx, system, &asks, council, "deeper", Role::Approver)?;
            for first in [&provider, &asks] {
                is_forbidden(decides(tx, system, council, &deeper, first), "made or reset");
            }
            let by_asks = puppet(tx, system, &asks, council, "by-asks", Role::Clerk)?;
            is_forbidden(decides(tx, system, council, &approves, &by_asks), "made or reset");
            // New people who were made like this are of use all the same, beside someone else.
            decides(tx, system, council, &approves, &clerk)?;
            decides(tx, system, council, &chair, &asks)?;

            // He lets an account of his reset the real chair, and asks himself.
            let by_puppet = signed_in(tx, system, &asks)?;
            reset(tx, system, &by_puppet, &chair, true)?;
            for first in [&provider, &asks, &by_asks] {
                is_forbidden(decides(tx, system, council, &chair, first), "made or reset");
            }
            decides(tx, system, council, &chair, &clerk)?;
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_full_reset_by_someone_else_takes_an_account_out_of_earlier_hands() {
    on_both(|bench| async move {
        in_council(&bench, |tx, system, council| {
            let Town { provider, clerk, chair } = town(tx, system, council)?;
            let local = Context { actor: Actor::Local, ..system.clone() };
            // Over the years the provider came to reset both: they no longer decide for each other.
            let by_provider = signed_in(tx, system, &provider)?;
            reset(tx, system, &by_provider, &chair, true)?;
            decides(tx, system, council, &chair, &clerk)?;
            reset(tx, system, &by_provider, &clerk, true)?;
            is_forbidden(decides(tx, system, council, &chair, &clerk), "made or reset");
            // A new password alone leaves him the second factor that he may have set up.
            reset(tx, system, &local, &chair, false)?;
            is_forbidden(decides(tx, system, council, &chair, &clerk), "made or reset");
            // Someone at the machine itself, who replaces everything, is another person.
            reset(tx, system, &local, &chair, true)?;
            decides(tx, system, council, &chair, &clerk)?;
            decides(tx, system, council, &chair, &provider)?;
            // Access to the machine is one hand as well.
            reset(tx, system, &local, &clerk, true)?;
            is_forbidden(decides(tx, system, council, &chair, &clerk), "made or reset");

            // A reset between asking and approving does not wash off who asked.
            let asks = puppet(tx, system, &provider, council, "asks", Role::Clerk)?;
            let approves = puppet(tx, system, &provider, council, "approves", Role::Approver)?;
            let asked_at = system.now + Duration::hours(73);
            let then = Context { now: asked_at + Duration::hours(1), ..local.clone() };
            operators::reset(tx, &then, &asks.id, "y", true)?;
            let own = signed_in(tx, &Context { now: asked_at + Duration::hours(2), ..system.clone() }, &approves)?;
            let approver = own.actor.signed_in().expect("signed in").clone();
            is_forbidden(
                operators::require_established_approver(tx, &own, council, &approver, &asks.id, asked_at),
                "asked for again",
            );
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn two_providers_made_by_one_do_not_thaw_the_installation() {
    use super::caps::{self, CapScope};
    on_both(|bench| async move {
        in_council(&bench, |tx, system, council| {
            let Town { provider, .. } = town(tx, system, council)?;
            let by_provider = signed_in(tx, system, &provider)?;
            let mut second = Vec::new();
            let local = Context { actor: Actor::Local, ..system.clone() };
            for (login, by) in [("two", &by_provider), ("three", &by_provider), ("four", &local)] {
                let made = add(tx, by, None, &format!("{login}-{council}"), Role::Provider)?;
                let own = signed_in(tx, system, &made)?;
                set_second_factor(tx, &own)?;
                second.push(made);
            }
            let later = Context { now: system.now + Duration::hours(73), ..system.clone() };
            let [two, three, four] = &second[..] else { panic!("three") };
            let (by_two, by_three) = (signed_in(tx, &later, two)?, signed_in(tx, &later, three)?);
            let (by_four, by_provider) = (signed_in(tx, &later, four)?, signed_in(tx, &later, &provider)?);
            caps::change(tx, &by_two, &CapScope::Installation, 12, 240)?;
            for own_hand in [&by_three, &by_provider] {
                is_forbidden(caps::approve_raise(tx, own_hand, &CapScope::Installation), "made or reset");
            }
            caps::approve_raise(tx, &by_four, &CapScope::Installation)?;
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn nobody_makes_the_alert_about_his_own_doing_vanish() {
    on_both(|bench| async move {
        in_council(&bench, |tx, system, council| {
            let Town { provider, clerk, chair } = town(tx, system, council)?;
            let made = puppet(tx, system, &provider, council, "made", Role::Clerk)?;
            let by_provider = signed_in(tx, system, &provider)?;
            operators::reset(tx, &by_provider, &chair.id, "y", true)?;
            let (token, _) = tokens::issue(tx, &by_provider, council, "t", &[TokenScope::Register], None)?;
            let program = Actor::Token { id: token.id, council: council.clone(), scopes: vec![TokenScope::Register] };
            let by_program = Context { actor: program, ..system.clone() };
            let (by_made, by_clerk) = (signed_in(tx, system, &made)?, signed_in(tx, system, &clerk)?);
            let open = alerts::list(tx, system, council, true, None, 10)?;
            let about = |kind: &str| open.iter().find(|alert| alert.kind == kind).expect(kind).id.clone();
            for kind in ["operator_added", "operator_reset"] {
                for context in [&by_provider, &by_made, &by_program] {
                    is_forbidden(alerts::acknowledge(tx, context, &about(kind)), "someone else");
                }
                assert!(alerts::acknowledge(tx, &by_clerk, &about(kind))?.ended_at.is_some());
            }

            // How an account was signed in to is its owner's business, and not of whoever made it.
            for subject in [&made, &clerk] {
                alerts::raise(tx, system, council, "recovery_code_used", subject.id.as_str(), "x")?;
            }
            let open = alerts::list(tx, system, council, true, None, 10)?;
            let about = |subject: &Operator| {
                open.iter().find(|alert| alert.subject == subject.id.as_str()).expect("open").id.clone()
            };
            is_forbidden(alerts::acknowledge(tx, &by_provider, &about(&made)), "someone else");
            alerts::acknowledge(tx, &by_made, &about(&made))?;
            alerts::acknowledge(tx, &by_clerk, &about(&clerk))?;
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_reset_and_a_new_role_revoke_the_tokens_that_the_account_issued() {
    on_both(|bench| async move {
        in_council(&bench, |tx, system, council| {
            let Town { provider, clerk, .. } = town(tx, system, council)?;
            let by_provider = signed_in(tx, system, &provider)?;
            let issue = |tx: &mut Transaction<'_>, operator: &Operator| -> Result<TokenId> {
                let own = signed_in(tx, system, operator)?;
                Ok(tokens::issue(tx, &own, council, "t", &[TokenScope::Register], None)?.0.id)
            };
            let revoked = |tx: &mut Transaction<'_>, id: &TokenId| -> Result<bool> {
                Ok(store::api_tokens::find(tx, id)?.expect("kept").revoked_at.is_some())
            };
            for second_factor in [false, true] {
                let token = issue(tx, &clerk)?;
                operators::reset(tx, &by_provider, &clerk.id, "y", second_factor)?;
                assert!(revoked(tx, &token)?, "the reset left the thief his token");
            }
            let token = issue(tx, &clerk)?;
            let name = Change { name: Some("Another Name".to_owned()), ..Change::default() };
            operators::change(tx, &by_provider, &clerk.id, &name)?;
            assert!(!revoked(tx, &token)?);
            let role = Change { role: Some(Role::Auditor), ..Change::default() };
            operators::change(tx, &by_provider, &clerk.id, &role)?;
            assert!(revoked(tx, &token)?, "an auditor's token keeps the register");
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beginning_a_second_factor_brings_no_ended_account_back() {
    on_both(|bench| async move {
        let (system, council) = (bench.context(Actor::System), bench.council("germoe").await);
        let made = bench
            .database
            .write("make", move |tx| {
                let clerk = add(tx, &system, Some(&council), "clerk", Role::Clerk)?;
                let leaves = add(tx, &system, Some(&council), "leaves", Role::Clerk)?;
                Ok((signed_in(tx, &system, &clerk)?, signed_in(tx, &system, &leaves)?, leaves.id))
            })
            .await
            .expect("makes");
        let (by_clerk, by_leaver, leaver) = made;
        let (database, id) = (bench.database.clone(), leaver.clone());
        let ending = tokio::spawn(async move {
            database
                .write("end", move |tx| {
                    operators::end(tx, &by_clerk, &id)?;
                    // Not committed yet when the other begins.
                    std::thread::sleep(std::time::Duration::from_millis(400));
                    Ok(())
                })
                .await
        });
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
        let begun =
            bench.database.write("begin", move |tx| accounts::begin_second_factor(tx, &by_leaver).map(drop)).await;
        ending.await.expect("runs").expect("ends");
        assert!(matches!(begun, Err(Error::NotFound(_))), "{begun:?}");
        let row = bench.database.read("look", move |tx| store::operators::find(tx, &leaver)).await;
        let row = row.expect("reads").expect("kept");
        assert!(row.ended_at.is_some() && row.sealed_totp_pending.is_none());
        assert_eq!(hands::of(&row).to_string(), format!("operator:{}", row.id));
    })
    .await;
}
