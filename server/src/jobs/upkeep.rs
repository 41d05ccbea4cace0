//! What is due by the clock in the database itself: expiry, orders that lapse, retention.

use chrono::Duration;

use super::outcome::{Failure, Next};
use super::{Bench, again};
use crate::error::Result;
use crate::operations::android::tokens;
use crate::operations::{Context, caps, commands, enroll, idempotency, one_operator, orders, passkeys, retention};
use crate::store::{self, Transaction};

pub(super) const MINUTE: &str = "every_minute";
pub(super) const HOUR: &str = "every_hour";

const ROWS: i64 = 500;

/// Runs `step` in transactions of its own until it has nothing left to do; it says how many rows it did.
async fn exhaust<F>(bench: &Bench, name: &'static str, step: F) -> Result<()>
where
    F: Fn(&mut Transaction<'_>, &Context) -> Result<usize> + Clone + Send + 'static,
{
    loop {
        let (context, step) = (bench.context(), step.clone());
        let done = bench.app.database.write(name, move |tx| step(tx, &context)).await?;
        if done < usize::try_from(ROWS).unwrap_or(usize::MAX) {
            return Ok(());
        }
    }
}

pub(super) async fn every_minute(bench: &Bench) -> Result<Next, Failure> {
    let now = bench.context().now;
    exhaust(bench, "expire commands", |tx, context| commands::expire(tx, context, ROWS)).await?;
    exhaust(bench, "lapse orders", |tx, context| orders::lapse_due(tx, context, ROWS)).await?;
    exhaust(bench, "remind of orders", |tx, context| orders::remind_due(tx, context, ROWS)).await?;
    exhaust(bench, "presume erased", |tx, context| orders::presume_erased_due(tx, context, ROWS)).await?;
    exhaust(bench, "orders out of reach", |tx, context| orders::unreachable_due(tx, context, ROWS)).await?;
    freezes(bench).await?;
    // One order a transaction: it takes a council's lock and the installation's.
    loop {
        let context = bench.context();
        if !bench.app.database.write("cooled off", move |tx| orders::cool_off_due(tx, &context)).await? {
            break;
        }
    }
    Ok(again(now, Duration::minutes(1)))
}

/// Puts back freezes that were taken out of the database by hand: what waits for approval could not tell of them.
async fn freezes(bench: &Bench) -> Result<()> {
    let context = bench.context();
    let missing =
        bench.app.database.read("freezes by the trail", move |tx| caps::missing_freezes(tx, &context)).await?;
    for scope in missing {
        let context = bench.context();
        bench.app.database.write("put back a freeze", move |tx| caps::put_back_freeze(tx, &context, &scope)).await?;
    }
    Ok(())
}

pub(super) async fn every_hour(bench: &Bench) -> Result<Next, Failure> {
    let now = bench.context().now;
    let kept = &bench.app.config.retention;
    let (commands_before, sessions_before) = (now - Duration::days(kept.commands), now - Duration::days(kept.sessions));
    exhaust(bench, "retention of commands", move |tx, _| commands::purge_ended(tx, commands_before, ROWS)).await?;
    let inventory_before = (now - commands::INVENTORY_KEPT).max(commands_before);
    exhaust(bench, "retention of inventory", move |tx, _| commands::purge_inventory(tx, inventory_before, ROWS))
        .await?;
    exhaust(bench, "retention of repeats", move |tx, _| {
        store::idempotency_keys::purge(tx, now - idempotency::REMEMBERED, ROWS)
    })
    .await?;
    exhaust(bench, "retention of sign-ins", move |tx, _| store::sessions::purge(tx, sessions_before, ROWS)).await?;
    exhaust(bench, "retention of failed sign-ins", move |tx, _| {
        store::sign_in_limits::purge(tx, now - Duration::days(1), ROWS)
    })
    .await?;
    exhaust(bench, "retention of questions to passkeys", move |tx, _| {
        store::passkey_ceremonies::purge(tx, now - passkeys::GOOD_FOR, ROWS)
    })
    .await?;
    exhaust(bench, "retention of challenges", move |tx, _| enroll::purge_challenges(tx, now - Duration::days(1), ROWS))
        .await?;
    exhaust(bench, "retention of notices", move |tx, _| one_operator::purge_notices(tx, now, ROWS)).await?;
    exhaust(bench, "retention of sign-ups at Google", move |tx, _| {
        store::google_sign_ups::purge(tx, now - Duration::days(1), ROWS)
    })
    .await?;
    exhaust(bench, "retention of Android codes", move |tx, _| {
        store::android_tokens::purge(tx, now - tokens::KEPT, ROWS)
    })
    .await?;
    audit_details(bench).await?;
    Ok(again(now, Duration::hours(1)))
}

/// Purges the details beside the audit trail whose time has come, chain by chain and page by page.
async fn audit_details(bench: &Bench) -> Result<()> {
    let kept = &bench.app.config.retention;
    let periods = retention::Periods {
        details: Duration::days(kept.audit_details),
        wipe_evidence: Duration::days(kept.wipe_evidence),
    };
    let heads = bench.app.database.read("audit chains", store::audit::heads).await?;
    for head in heads {
        let (mut after, mut purged) = (Some(0), 0);
        while let Some(from) = after {
            let (context, chain) = (bench.context(), head.chain.clone());
            let page = bench
                .app
                .database
                .write("retention of audit details", move |tx| {
                    retention::purge_details(tx, &context, &chain, from, periods, ROWS)
                })
                .await?;
            purged += page.purged;
            after = page.next;
        }
        if purged > 0 {
            tracing::info!(chain = head.chain, purged, "audit details purged");
        }
    }
    Ok(())
}
