//! What an order becomes on the wire: the two forms of EraseDevice, octet for octet.

use super::scene::Scene;
use crate::model::Release;
use crate::operations::cases::DetailAnswer;
use crate::operations::leavers;
use crate::platform::{Wire, encode_order};
use crate::testing::on_both;

fn written(release: &Release) -> String {
    let Ok(Wire::Apple(bytes)) = encode_order(crate::model::Platform::Apple, release) else {
        panic!("an erase can be written")
    };
    let text = String::from_utf8(bytes).expect("XML is text");
    assert_eq!(text.matches(release.command().as_str()).count(), 1, "under the order's id: {text}");
    text.replace(release.command().as_str(), "COMMAND")
}

#[tokio::test(flavor = "multi_thread")]
async fn erase_device_as_it_goes_out() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let lost = scene.phone("T-1");
        scene.approved(&lost).await;
        let lost = scene.idle(&lost).await.expect("released");

        let returned = scene.phone("T-2");
        let asset = returned.asset.clone();
        let case = scene
            .run(scene.clerk(), move |tx, context| leavers::open(tx, context, &asset, "resigned"))
            .await
            .expect("opens");
        let DetailAnswer::Case(case) = case else { panic!("a clerk reads cases") };
        let order = scene.ask(scene.clerk(), &returned, &case.case.id).await.expect("asks");
        scene.approve(scene.chair(), &order.id).await.expect("approves");
        let returned = scene.idle(&returned).await.expect("released");

        let both = format!("# a loss\n{}\n# a leaver\n{}\n", written(&lost), written(&returned));
        insta::assert_snapshot!("erase_device", both);
    })
    .await;
}
