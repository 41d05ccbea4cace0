//! The story that `beadle demo` tells ends well, with every call to Google judged by Google's discovery document.
#![cfg(feature = "demo")]

#[tokio::test(flavor = "multi_thread")]
async fn the_story_ends_well() {
    // The story itself fails on what the judge refuses, where there is one: here there is.
    assert!(beadle_simulator::android::judge::JUDGE.is_ok());
    beadle_server::demo::run(true).await.expect("the story ends well");
}
