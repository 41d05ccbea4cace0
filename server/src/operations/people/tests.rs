use super::*;
use crate::model::{Actor, TokenId, TokenScope};
use crate::operations::assets;
use crate::testing::on_both;

fn called(name: &str) -> Description {
    Description { name: Some(name.to_owned()), ..Description::default() }
}

fn refusal<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.expect_err("refused").to_string()
}

#[tokio::test]
async fn a_person_is_added_listed_changed_and_ended() {
    on_both(|bench| async move {
        bench.council("germoe").await;
        let context = bench.context(Actor::System);
        bench
            .database
            .write("people", move |tx| {
                let ann = add(
                    tx,
                    &context,
                    "germoe",
                    &Description { email: Some("ann@germoe.example".to_owned()), ..called(" Ann Bray ") },
                )?;
                assert_eq!(ann.name, "Ann Bray");
                assert!(refusal(add(tx, &context, "germoe", &Description::default())).contains("name"));
                let bob = add(tx, &context, "germoe", &called("Bob"))?;
                let page = list(tx, &context, "germoe", false, None, 1)?;
                assert_eq!(page[0].id, ann.id);
                let page = list(tx, &context, "germoe", false, Some(ann.id.as_str()), 5)?;
                assert_eq!(page.iter().map(|person| &person.id).collect::<Vec<_>>(), [&bob.id]);

                let only = Description {
                    council_device_only: Some(true),
                    email: Some(String::new()),
                    ..Description::default()
                };
                let ann = change(tx, &context, &ann.id, &only)?;
                assert_eq!(
                    (ann.name.as_str(), ann.email.as_deref(), ann.council_device_only),
                    ("Ann Bray", None, true)
                );

                assert!(end(tx, &context, &ann.id)?.ended_at.is_some());
                assert!(end(tx, &context, &ann.id).is_ok(), "once is enough");
                assert!(refusal(change(tx, &context, &ann.id, &only)).contains("has left"));
                assert_eq!(list(tx, &context, "germoe", false, None, 5)?.len(), 1);
                assert_eq!(list(tx, &context, "germoe", true, None, 5)?.len(), 2);
                Ok(())
            })
            .await
            .expect("people");
    })
    .await;
}

#[tokio::test]
async fn those_who_left_take_nobodys_place_in_a_search() {
    on_both(|bench| async move {
        bench.council("germoe").await;
        let context = bench.context(Actor::System);
        bench
            .database
            .write("people", move |tx| {
                for number in 0..25 {
                    let left = add(tx, &context, "germoe", &called(&format!("Ann {number:02} Bray")))?;
                    end(tx, &context, &left.id)?;
                }
                let there = add(tx, &context, "germoe", &called("Ann Zelah"))?;
                let found = find(tx, &context, "germoe", "ann", 21)?;
                assert_eq!(found.iter().map(|person| &person.id).collect::<Vec<_>>(), [&there.id]);
                Ok(())
            })
            .await
            .expect("people");
    })
    .await;
}

#[tokio::test]
async fn nobody_leaves_with_an_item() {
    on_both(|bench| async move {
        bench.council("germoe").await;
        let context = bench.context(Actor::System);
        bench
            .database
            .write("people", move |tx| {
                let ann = add(tx, &context, "germoe", &called("Ann"))?;
                let dongle = assets::Description {
                    tag: Some("G-7".to_owned()),
                    make: Some("Huawei".to_owned()),
                    ..assets::Description::default()
                };
                let asset = assets::add(tx, &context, "germoe", &dongle, std::slice::from_ref(&ann.id))?.asset;
                let (_, held) = show(tx, &context, &ann.id)?;
                assert_eq!(held[0].tag, "G-7");
                assert_eq!(
                    refusal(end(tx, &context, &ann.id)),
                    "Ann still holds G-7; hand it over or take it back first"
                );
                assets::hand_over(tx, &context, &asset.id, &[], false)?;
                end(tx, &context, &ann.id)?;
                let again = assets::hand_over(tx, &context, &asset.id, std::slice::from_ref(&ann.id), false);
                assert!(refusal(again).contains("has left"));
                Ok(())
            })
            .await
            .expect("people");
    })
    .await;
}

#[tokio::test]
async fn another_council_and_a_reader_change_nothing() {
    on_both(|bench| async move {
        let (council, other) = (bench.council("germoe").await, bench.council("coreley").await);
        let context = bench.context(Actor::System);
        let token = |council, scopes: &[TokenScope]| {
            bench.context(Actor::Token { id: TokenId::new(), council, scopes: scopes.to_vec() })
        };
        let (stranger, reader) = (token(other, TokenScope::ALL), token(council, &[TokenScope::Read]));
        bench
            .database
            .write("people", move |tx| {
                let ann = add(tx, &context, "germoe", &called("Ann"))?;
                assert!(matches!(show(tx, &stranger, &ann.id), Err(Error::NotFound(_))));
                assert!(matches!(end(tx, &stranger, &ann.id), Err(Error::NotFound(_))));
                assert!(matches!(list(tx, &stranger, "germoe", true, None, 5), Err(Error::NotFound(_))));
                assert!(matches!(add(tx, &stranger, "germoe", &called("Eve")), Err(Error::NotFound(_))));
                show(tx, &reader, &ann.id)?;
                assert!(matches!(end(tx, &reader, &ann.id), Err(Error::Forbidden(_))));
                assert!(matches!(change(tx, &reader, &ann.id, &called("Eve")), Err(Error::Forbidden(_))));
                assert!(matches!(add(tx, &reader, "germoe", &called("Eve")), Err(Error::Forbidden(_))));
                Ok(())
            })
            .await
            .expect("people");
    })
    .await;
}
