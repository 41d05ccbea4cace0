//! The two doors keep their promise: what was answered is there, what was refused is not, on both databases.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::model::Actor;
use crate::operations::audit;
use crate::store;
use crate::testing::{Bench, on_both};

async fn rows(bench: &Bench, chain: &str) -> i64 {
    let (keys, chain) = (Arc::clone(&bench.keys), chain.to_owned());
    let found =
        bench.database.read("verify", move |tx| audit::verify(tx, &keys.audit, &chain, None)).await.expect("verifies");
    assert_eq!(found.problems, Vec::<String>::new());
    found.rows
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_at_once_lose_nothing_and_the_chain_holds() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let mut writers = tokio::task::JoinSet::new();
        for number in 0..200 {
            let (database, context, council) = (bench.database.clone(), bench.context(Actor::System), council.clone());
            writers.spawn(async move {
                database
                    .write("note", move |tx| {
                        audit::lock(tx, &council)?;
                        audit::record(tx, &context, &council, "note", "x", serde_json::json!(number))?;
                        if number % 10 == 0 {
                            return Err(Error::conflict("refused on purpose"));
                        }
                        Ok(())
                    })
                    .await
            });
        }
        let done = writers.join_all().await;
        assert_eq!(done.iter().filter(|outcome| outcome.is_ok()).count(), 180);
        assert_eq!(rows(&bench, council.as_str()).await, 180);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_costs_one_request_and_no_acknowledged_write() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let mut acknowledged = 0;
        for number in 0..20 {
            let (context, council) = (bench.context(Actor::System), council.clone());
            let outcome = bench
                .database
                .write("note", move |tx| {
                    audit::record(tx, &context, &council, "note", "x", serde_json::json!(number))?;
                    assert!(number % 3 != 0, "panics on purpose");
                    Ok(())
                })
                .await;
            acknowledged += i64::from(outcome.is_ok());
        }
        assert_eq!(acknowledged, 13);
        assert_eq!(rows(&bench, council.as_str()).await, acknowledged);
    })
    .await;
}

#[tokio::test]
async fn a_brief_read_that_panics_is_an_error_and_the_next_one_is_served() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        for _ in 0..20 {
            let outcome = bench.database.read_briefly("note", |_| -> Result<()> { panic!("on purpose") }).await;
            assert!(matches!(outcome, Err(Error::Internal(_))), "{outcome:?}");
        }
        let id = council.clone();
        let found = bench.database.read_briefly("look", move |tx| store::councils::find(tx, &id)).await;
        assert_eq!(found.expect("reads").map(|found| found.id), Some(council));
        bench.database.set_broken(true);
        let outcome = bench.database.read_briefly("look", |_| Ok(())).await;
        assert!(matches!(outcome, Err(Error::Unavailable(_))), "{outcome:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_read_door_cannot_write() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let (context, chain) = (bench.context(Actor::System), council.clone());
        let outcome = bench
            .database
            .read("try to write", move |tx| audit::record(tx, &context, &chain, "note", "x", serde_json::Value::Null))
            .await;
        assert!(outcome.is_err());
        assert_eq!(rows(&bench, council.as_str()).await, 0);
    })
    .await;
}

/// What durability and the foreign keys hang on, asked of the very connection that writes.
#[derive(diesel::QueryableByName)]
struct Pragmas {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    synchronous: i32,
    #[diesel(sql_type = diesel::sql_types::Text)]
    journal_mode: String,
    #[diesel(sql_type = diesel::sql_types::Integer)]
    foreign_keys: i32,
}

#[tokio::test]
async fn the_connection_that_writes_waits_for_the_disk_and_keeps_foreign_keys() {
    on_both(|bench| async move {
        if bench.database.is_postgres() {
            return;
        }
        let ask = "SELECT synchronous, journal_mode, foreign_keys FROM pragma_synchronous, pragma_journal_mode, \
                   pragma_foreign_keys";
        let refused =
            bench.database.write("refused", |_| Err::<(), _>(Error::Unavailable("as after a fault".to_owned()))).await;
        assert!(refused.is_err());
        let found: Pragmas = bench
            .database
            .write("pragmas", move |tx| Ok(diesel::RunQueryDsl::get_result(diesel::sql_query(ask), tx.connection)?))
            .await
            .expect("asks");
        // 2 is FULL.
        assert_eq!((found.synchronous, found.journal_mode.as_str(), found.foreign_keys), (2, "wal", 1));
    })
    .await;
}
