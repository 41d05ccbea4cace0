//! The story that `beadle demo` tells ends well.
#![cfg(feature = "demo")]

#[tokio::test(flavor = "multi_thread")]
async fn the_story_ends_well() {
    beadle_server::demo::run(true).await.expect("the story ends well");
}
