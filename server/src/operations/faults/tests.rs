use super::*;
use crate::model::{Actor, AssetKind, TokenId, TokenScope};
use crate::operations::assets::Description;
use crate::testing::on_both;

#[tokio::test]
async fn a_fault_is_noted_once_and_ends_once() {
    on_both(|bench| async move {
        bench.council("germoe").await;
        let coreley = bench.council("coreley").await;
        let context = bench.context(Actor::System);
        let scopes = vec![TokenScope::Read, TokenScope::Register];
        let stranger = bench.context(Actor::Token { id: TokenId::new(), council: coreley, scopes });
        bench
            .database
            .write("faults", move |tx| {
                let new = Description {
                    tag: Some("D-1".to_owned()),
                    kind: Some(AssetKind::Dongle),
                    make: Some("Huawei".to_owned()),
                    ..Description::default()
                };
                let asset = assets::add(tx, &context, "germoe", &new, &[])?.asset;
                let later = context.now + chrono::Duration::hours(1);
                assert!(note(tx, &context, &asset.id, " ", None).is_err());
                assert!(note(tx, &context, &asset.id, &"x".repeat(1001), None).is_err());
                assert!(note(tx, &context, &asset.id, "Dead", Some(later)).is_err(), "not in the future");
                assert!(matches!(note(tx, &stranger, &asset.id, "Dead", None), Err(Error::NotFound(_))));
                let fault = note(tx, &context, &asset.id, "Screen cracked", None)?;
                assert!(matches!(show(tx, &stranger, &fault.id), Err(Error::NotFound(_))));
                assert!(matches!(end(tx, &stranger, &fault.id, "x"), Err(Error::NotFound(_))));
                assert_eq!(store::faults::open_of_assets(tx, &asset.council_id, vec![asset.id.clone()])?.len(), 1);
                assert!(end(tx, &context, &fault.id, "").is_err());
                end(tx, &context, &fault.id, "New screen")?;
                assert!(matches!(end(tx, &context, &fault.id, "Again"), Err(Error::Conflict(_))));
                assert_eq!(store::faults::open_of_assets(tx, &asset.council_id, vec![asset.id.clone()])?.len(), 0);
                let kept = store::faults::of_asset(tx, &asset.council_id, &asset.id, 10)?;
                assert_eq!(kept[0].outcome.as_deref(), Some("New screen"));
                assets::dispose(tx, &context, &asset.id)?;
                assert!(matches!(note(tx, &context, &asset.id, "Dead", None), Err(Error::Conflict(_))));
                Ok(())
            })
            .await
            .expect("faults");
    })
    .await;
}
