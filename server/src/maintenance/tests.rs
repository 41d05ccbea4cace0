//! A backup comes back whole, in either database, and never without quarantine; a rotation leaves no secret behind.

use std::path::Path;

use futures_util::FutureExt as _;

use super::*;
use crate::model::CouncilId;
use crate::testing::{Bench, on_both};

fn config(folder: &Path, url: Option<String>) -> Config {
    let mut config = Config { data_folder: folder.to_owned(), ..Config::default() };
    config.database.url = url;
    config
}

async fn installation(folder: &Path) -> Installation {
    Installation::open(config(folder, None), Clock::default(), Schema::Migrate).await.expect("opens")
}

/// A council with an authority's key sealed for it, made as the product makes it.
async fn add_council(app: &App, slug: &str) -> CouncilId {
    use crate::operations::councils::{self, NewCouncil};
    let new = NewCouncil {
        name: format!("{slug} Parish Council, “naïve” 'quoted' \\ \"too\""),
        slug: slug.to_owned(),
        public_url: format!("https://{slug}.example"),
        time_zone: "Europe/London".to_owned(),
        preset: beadle_profiles::policy::Preset::CouncilTemplate,
    };
    let prepared = councils::prepare(&app.keys, app.clock.now(), &new).expect("prepares");
    let context = app.context(Actor::System);
    app.database
        .write("add council", move |tx| {
            // Text that a careless form of the file would break.
            let note = serde_json::json!({ "note": "two\nlines\ttab 'quotes' \"more\" \\ ü €" });
            audit::record_installation(tx, &context, "noted", operation::OWNER, note)?;
            councils::add(tx, &context, &prepared)
        })
        .await
        .expect("adds")
        .id
}

fn lines(database: &Database) -> Vec<crate::store::Line> {
    let mut lines = Vec::new();
    database
        .dump(|line| {
            lines.push(line);
            Ok(())
        })
        .expect("dumps");
    lines
}

async fn quarantined(app: &App) -> bool {
    app.database.read("quarantine", quarantine::is_on).await.expect("reads")
}

#[tokio::test]
async fn a_backup_restores_into_an_empty_folder_and_begins_quarantine() {
    let folder = tempfile::tempdir().expect("a folder");
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    let from = installation(&old).await;
    add_council(&from.app, "germoe").await;
    let file = folder.path().join("one.backup");
    let done = backup(&from.app, &file, false).await.expect("backs up");
    assert!(done.rows > 8 && !done.with_key);
    assert!(backup(&from.app, &file, false).await.is_err(), "no file is overwritten");
    from.close().await.expect("closes");

    let how = Restore { file: file.clone(), key: None, replace: false };
    let refused = restore(config(&new, None), Clock::default(), how.clone()).await.expect_err("no key").to_string();
    assert!(refused.contains("does not hold the sealing key"), "{refused}");
    let wrong = folder.path().join("wrong.key");
    std::fs::write(&wrong, Sealer::new_key_line().expect("random").as_bytes()).expect("written");
    let with = |key: &Path| Restore { key: Some(key.to_owned()), ..how.clone() };
    let refused = restore(config(&new, None), Clock::default(), with(&wrong)).await.expect_err("wrong key").to_string();
    assert!(refused.contains("is not the one"), "{refused}");

    let right = old.join("sealing.key");
    let restored = restore(config(&new, None), Clock::default(), with(&right)).await.expect("restores");
    assert_eq!((restored.rows, restored.copy, restored.problems), (done.rows, None, Vec::<String>::new()));
    let again = restore(config(&new, None), Clock::default(), with(&right)).await.expect_err("not empty").to_string();
    assert!(again.contains("--replace"), "{again}");
    let replacing = Restore { replace: true, ..with(&right) };
    let replaced = restore(config(&new, None), Clock::default(), replacing).await.expect("replaces");
    assert!(replaced.copy.is_some_and(|copy| copy.exists()));

    let restored = installation(&new).await;
    assert!(quarantined(&restored.app).await, "a restore always means quarantine");
    let context = restored.app.context(Actor::System);
    let checkpoints = backup::check(&file).expect("whole").manifest.anchor.checkpoints;
    let chains = restored.app.database.read("verify", move |tx| audit::verify_all(tx, &context, &checkpoints));
    for chain in chains.await.expect("verifies") {
        assert_eq!(chain.problems, Vec::<String>::new());
    }
    restored.close().await.expect("closes");
}

/// A backup of `from` that knows a signed-in clerk and a token of his, made before both were done away with.
async fn backup_with_people(from: &App, file: &Path) -> (CouncilId, crate::model::SessionId, crate::model::TokenId) {
    use crate::operations::operators_tests::{add, signed_in};
    use crate::operations::tokens;
    let council = add_council(from, "germoe").await;
    let (context, own) = (from.context(Actor::System), council.clone());
    let (session, token) = from
        .database
        .write("sign in", move |tx| {
            let clerk = add(tx, &context, Some(&own), "clerk", crate::model::Role::Clerk)?;
            let by_clerk = signed_in(tx, &context, &clerk)?;
            let scopes = [crate::model::TokenScope::Read];
            let (token, _) = tokens::issue(tx, &by_clerk, &own, "t", &scopes, None)?;
            Ok((by_clerk.actor.signed_in().expect("signed in").session.clone(), token.id))
        })
        .await
        .expect("signs in");
    backup(from, file, false).await.expect("backs up");
    (council, session, token)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_brings_no_sign_in_and_no_token_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let from = installation(&folder.path().join("old")).await;
    let file = folder.path().join("one.backup");
    let (council, session, token) = backup_with_people(&from.app, &file).await;
    from.close().await.expect("closes");
    let key = folder.path().join("old/sealing.key");
    on_both(|bench: Bench| {
        let (file, key, council, session, token) =
            (file.clone(), key.clone(), council.clone(), session.clone(), token.clone());
        async move {
            let folder = tempfile::tempdir().expect("a folder");
            let how = Restore { file, key: Some(key), replace: true };
            let target = config(&folder.path().join("new"), Some(bench.url.clone()));
            let restored = restore(target, Clock::default(), how).await.expect("restores");
            assert_eq!((restored.sessions_ended, restored.tokens_revoked), (1, 1));
            assert_eq!(restored.problems, Vec::<String>::new());
            let context = bench.context(Actor::Local);
            let (shown, session, token) = bench
                .database
                .read("look", move |tx| {
                    Ok((
                        quarantine::show(tx, &context)?,
                        store::sessions::find(tx, &session)?.expect("restored"),
                        store::api_tokens::find(tx, &token)?.expect("restored"),
                    ))
                })
                .await
                .expect("reads");
            assert!(session.revoked_at.is_some() && token.revoked_at.is_some());
            assert_eq!(token.council_id, council);
            assert!(shown.on && shown.advice.iter().any(|line| line.contains("operators")), "{:?}", shown.advice);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_older_than_its_anchor_lets_nobody_in_either() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let installed = installation(&data).await;
    let (_, session, _) = backup_with_people(&installed.app, &folder.path().join("one.backup")).await;
    let old = folder.path().join("old.db");
    installed.app.database.copy_to(&old).expect("copies");
    add_council(&installed.app, "coreley").await;
    installed.close().await.expect("closes");
    for name in ["beadle.db", "beadle.db-wal", "beadle.db-shm"] {
        let _ = std::fs::remove_file(data.join(name));
    }
    std::fs::copy(&old, data.join("beadle.db")).expect("rolled back");
    let again = installation(&data).await;
    assert!(quarantined(&again.app).await);
    let session = again.app.database.read("look", move |tx| store::sessions::find(tx, &session)).await;
    assert!(session.expect("reads").expect("kept").revoked_at.is_some());
    again.close().await.expect("closes");
}

#[tokio::test]
async fn a_backup_with_its_key_needs_nothing_else_and_a_damaged_one_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let from = installation(&folder.path().join("old")).await;
    let file = folder.path().join("one.backup");
    assert!(backup(&from.app, &file, true).await.expect("backs up").with_key);
    from.close().await.expect("closes");
    let text = std::fs::read_to_string(&file).expect("text");
    let damaged = [
        ("cut", text.lines().take(5).collect::<Vec<_>>().join("\n")),
        ("changed", text.replacen("set-up-code", "set-up-cook", 1)),
        ("other", "hello\n".to_owned()),
    ];
    for (name, content) in damaged {
        let bad = folder.path().join(name);
        std::fs::write(&bad, content).expect("written");
        let how = Restore { file: bad, key: None, replace: false };
        assert!(restore(config(&folder.path().join("new"), None), Clock::default(), how).await.is_err(), "{name}");
    }
    let how = Restore { file, key: None, replace: false };
    restore(config(&folder.path().join("new"), None), Clock::default(), how).await.expect("restores");
    installation(&folder.path().join("new")).await.close().await.expect("opens with the key from the backup");
}

#[tokio::test]
async fn either_database_takes_the_others_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let from = installation(&folder.path().join("old")).await;
    add_council(&from.app, "coreley").await;
    let original = lines(&from.app.database);
    on_both(|bench: Bench| {
        let original = original.clone();
        async move {
            bench.database.fill(original.clone().into_iter().map(Ok), |_| Ok(())).expect("fills");
            let back = lines(&bench.database);
            let folder = tempfile::tempdir().expect("a folder");
            let url = format!("sqlite:{}", folder.path().join("third.db").display());
            let third = Database::open(&url).expect("opens");
            third.migrate().expect("migrates");
            third.fill(back.into_iter().map(Ok), |_| Ok(())).expect("fills");
            // Compared as rows of SQLite, without regard to their order.
            let sorted = |lines: Vec<crate::store::Line>| {
                let mut lines: Vec<String> = lines.into_iter().map(|line| format!("{line:?}")).collect();
                lines.sort();
                lines
            };
            assert_eq!(sorted(lines(&third)), sorted(original));
            third.close().await;
        }
    })
    .await;
    from.close().await.expect("closes");
}

#[tokio::test]
async fn a_rotation_leaves_nothing_under_the_old_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let installed = installation(&data).await;
    add_council(&installed.app, "germoe").await;
    let app = installed.app.clone();
    let old = app.keys.sealer.current_key_id();
    let rotated = rotate(&app, Actor::Local, Rotation::NewKey).await.expect("rotates");
    // Three keys of the installation, the authority's and the canary.
    assert_eq!(rotated.resealed, 5);
    assert_ne!(rotated.key_id, old);
    assert_eq!(rotate(&app, Actor::Local, Rotation::Resume).await.expect("nothing left").resealed, 0);
    let retired = rotate(&app, Actor::Local, Rotation::RetireOld).await.expect("retires");
    assert_eq!((retired.resealed, retired.retired), (0, 1));
    assert_eq!(std::fs::read_to_string(data.join("sealing.key")).expect("the key").lines().count(), 1);
    installed.close().await.expect("closes");
    let again = installation(&data).await;
    add_council(&again.app, "coreley").await;
    again.close().await.expect("closes");
}

/// Everything that is sealed opens under the key file as it is on disk.
async fn everything_opens(data: &Path) {
    let again = installation(data).await;
    let app = again.app.clone();
    for column in store::sealed::COLUMNS {
        let page = app.database.read("sealed", move |tx| store::sealed::page(tx, column, "")).await.expect("reads");
        for secret in page {
            app.keys
                .sealer
                .open(column.purpose, &secret.owner, &secret.row_name, &secret.sealed)
                .unwrap_or_else(|problem| panic!("{}.{}: {problem}", column.table, column.column));
        }
    }
    again.close().await.expect("closes");
}

/// Keeps the database's writer busy until the sender is dropped.
async fn occupy_writer(app: &App) -> std::sync::mpsc::Sender<()> {
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let (began, begun) = tokio::sync::oneshot::channel::<()>();
    let (receiver, began) = (std::sync::Mutex::new(receiver), std::sync::Mutex::new(Some(began)));
    let database = app.database.clone();
    tokio::spawn(async move {
        database
            .write("keep busy", move |_| {
                if let Some(began) = began.lock().expect("alone").take() {
                    began.send(()).expect("heard");
                }
                // Ends, with an error, when the sender is dropped.
                let _ = receiver.lock().expect("alone").recv();
                Ok(())
            })
            .await
            .expect("written");
    });
    begun.await.expect("begun");
    sender
}

/// As after a crash just behind the first step of a rotation: a new key in the file, nothing sealed under it yet.
fn begin_rotation(app: &App) {
    let file = app.config.sealing_key_file();
    let old = std::fs::read_to_string(&file).expect("the key");
    let both = format!("{}{old}", *Sealer::new_key_line().expect("random"));
    replace_private(&file, both.as_bytes()).expect("written");
    app.keys.sealer.reload(&both).expect("keys");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_rotation_begins_during_a_retirement_and_no_backup_during_either() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let installed = installation(&data).await;
    let app = installed.app.clone();
    add_council(&app, "germoe").await;
    begin_rotation(&app);
    let busy = occupy_writer(&app).await;
    let mut retirement = Box::pin(rotate(&app, Actor::Local, Rotation::RetireOld));
    assert!((&mut retirement).now_or_never().is_none(), "it seals anew, and waits for the writer");
    let second = Box::pin(rotate(&app, Actor::Local, Rotation::NewKey)).now_or_never();
    assert!(matches!(second, Some(Err(Error::Conflict(_)))), "it is told to come back, not made to wait: {second:?}");
    let file = folder.path().join("one.backup");
    assert!(matches!(backup(&app, &file, true).await, Err(Error::Conflict(_))));
    drop(busy);
    let retired = retirement.await.expect("retires");
    assert_eq!((retired.resealed, retired.retired), (5, 1));
    backup(&app, &file, true).await.expect("backs up afterwards");
    installed.close().await.expect("closes");
    everything_opens(&data).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_rotations_at_once_none_loses_a_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let installed = installation(&data).await;
    let app = installed.app.clone();
    add_council(&app, "germoe").await;
    let begin = || rotate(&app, Actor::Local, Rotation::NewKey);
    let (one, two) = tokio::join!(begin(), begin());
    let done = [one, two];
    assert_eq!(done.iter().filter(|one| one.is_ok()).count(), 1, "{done:?}");
    assert!(done.iter().any(|one| matches!(one, Err(Error::Conflict(_)))), "{done:?}");
    assert_eq!(std::fs::read_to_string(data.join("sealing.key")).expect("the key").lines().count(), 2);
    installed.close().await.expect("closes");
    everything_opens(&data).await;
}

#[tokio::test]
async fn a_crash_between_the_steps_of_a_rotation_leaves_everything_openable() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let installed = installation(&data).await;
    add_council(&installed.app, "germoe").await;
    // Behind the first step, with nothing sealed anew.
    begin_rotation(&installed.app);
    installed.app.database.set_broken(true);
    assert!(rotate(&installed.app, Actor::Local, Rotation::RetireOld).await.is_err(), "sealing anew fails");
    installed.app.database.set_broken(false);
    assert_eq!(
        std::fs::read_to_string(data.join("sealing.key")).expect("the key").lines().count(),
        2,
        "none is dropped"
    );
    installed.close().await.expect("closes");
    everything_opens(&data).await;
    // With one secret sealed anew, and the others not.
    let installed = installation(&data).await;
    let app = installed.app.clone();
    let column = &store::sealed::COLUMNS[0];
    let secret =
        app.database.read("one", move |tx| store::sealed::page(tx, column, "")).await.expect("reads").remove(0);
    let open = app.keys.sealer.open(column.purpose, &secret.owner, &secret.row_name, &secret.sealed).expect("opens");
    let anew = app.keys.sealer.seal(column.purpose, &secret.owner, &secret.row_name, &open).expect("seals");
    app.database
        .write("one", move |tx| store::sealed::replace(tx, column, &secret.place, &secret.sealed, &anew))
        .await
        .expect("replaced");
    installed.close().await.expect("closes");
    everything_opens(&data).await;
    let installed = installation(&data).await;
    let resumed = rotate(&installed.app, Actor::Local, Rotation::Resume).await.expect("resumes");
    assert_eq!(resumed.resealed, 4);
    assert_eq!(rotate(&installed.app, Actor::Local, Rotation::RetireOld).await.expect("retires").retired, 1);
    installed.close().await.expect("closes");
    everything_opens(&data).await;
}

#[tokio::test]
async fn a_key_file_that_lost_a_key_in_use_is_not_built_upon() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let installed = installation(&data).await;
    let file = data.join("sealing.key");
    let right = std::fs::read(&file).expect("the key");
    std::fs::write(&file, Sealer::new_key_line().expect("random").as_bytes()).expect("written");
    for step in [Rotation::NewKey, Rotation::Resume, Rotation::RetireOld] {
        let refused = rotate(&installed.app, Actor::Local, step).await.expect_err("refused");
        assert!(matches!(&refused, Error::Conflict(text) if text.contains("no longer has the key")), "{refused}");
    }
    // A key that was put into the file by hand, and that nothing is sealed under, is taken out; the one in use stays.
    let stray = Sealer::new_key_line().expect("random");
    std::fs::write(&file, [&right[..], stray.as_bytes()].concat()).expect("written");
    let retired = rotate(&installed.app, Actor::Local, Rotation::RetireOld).await.expect("retires");
    assert_eq!((retired.retired, std::fs::read(&file).expect("the key")), (1, right));
    installed.close().await.expect("closes");
    everything_opens(&data).await;
}
