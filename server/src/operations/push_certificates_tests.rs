//! The life of a push certificate, against a stand-in for Apple's portal, on both databases.

use beadle_enrollment::push_certificate::vendor_signed_request;
use beadle_simulator::apple::push_service::PushService;

use super::*;
use crate::model::{Actor, Mode};
use crate::testing::phone::enrolled;
use crate::testing::{self, on_both};

const ACCOUNT: &str = "clerk@germoe.example";

struct Stage {
    bench: testing::Bench,
    portal: PushService,
    council: CouncilId,
}

impl Stage {
    async fn new(bench: testing::Bench) -> Self {
        let council = bench.council("germoe").await;
        Self { bench, portal: PushService::start().await.expect("starts"), council }
    }

    /// Asks for a certificate as a council does, and has the portal answer it, for `renewing`'s topic if given.
    async fn obtain(&self, council: &CouncilId, renewing: Option<&str>) -> (String, String) {
        let context = self.bench.context(Actor::Local);
        let prepared = prepare(&self.bench.keys, council, "Germoe Parish Council", context.now).expect("a request");
        let (row, made) = (prepared.row, prepared.request);
        self.bench.database.write("request", move |tx| request(tx, &context, &row)).await.expect("kept");
        let vendor = self.portal.mint_vendor_certificate().expect("a vendor");
        let chain = vendor.chain_pem.as_bytes();
        let signed = vendor_signed_request(&made.csr_der, chain, vendor.private_key_pem.as_bytes()).expect("signs");
        let issued = self.portal.portal_sign(&signed, renewing).expect("the portal takes it");
        (issued.certificate_pem, issued.topic)
    }

    async fn import(&self, council: &CouncilId, pem: &str, account: &str, new_topic: bool) -> Result<PushCertificate> {
        let (context, asked) = (self.bench.context(Actor::Local), council.clone());
        let found = self.bench.database.read("keys", move |tx| candidates(tx, &context, &asked)).await?;
        let read = read_import(&self.bench.keys, &found, pem, account, new_topic)?;
        let (context, asked) = (self.bench.context(Actor::Local), council.clone());
        self.bench.database.write("import", move |tx| import(tx, &context, &asked, &read)).await
    }

    async fn states(&self) -> Vec<(String, PushCertificateState, i64)> {
        let (context, council) = (self.bench.context(Actor::Local), self.council.clone());
        let found = self.bench.database.read("status", move |tx| status(tx, &context, &council)).await.expect("reads");
        found.into_iter().map(|it| (it.topic.unwrap_or_default(), it.state, it.phones)).collect()
    }
}

#[tokio::test]
async fn a_renewal_keeps_its_topic_and_takes_the_place_of_the_former() {
    on_both(|bench| async move {
        let stage = Stage::new(bench).await;
        let council = stage.council.clone();
        let (pem, topic) = stage.obtain(&council, None).await;
        let refused = stage.import(&council, &pem, " ", false).await.expect_err("no account");
        assert!(matches!(refused, Error::Invalid { ref field, .. } if field == "apple_account"), "{refused}");
        stage.import(&council, &pem, ACCOUNT, false).await.expect("imported");
        enrolled(&stage.bench, &council, Mode::Device, |it| it.topic = Some(topic.clone())).await;
        assert_eq!(stage.states().await, [(topic.clone(), PushCertificateState::Current, 1)]);
        let (renewed, same) = stage.obtain(&council, Some(&topic)).await;
        assert_eq!(same, topic);
        let row = stage.import(&council, &renewed, ACCOUNT, false).await.expect("renewed");
        assert_eq!(row.certificate_pem.as_deref(), Some(renewed.as_str()));
        let key = format!("topic:{topic}");
        let wakes = stage.bench.database.read("job", move |tx| store::jobs::find_by_key(tx, &key)).await;
        assert!(wakes.expect("reads").is_some(), "what waited for it is woken");
        assert_eq!(stage.states().await, [(topic, PushCertificateState::Current, 1)]);
    })
    .await;
}

#[tokio::test]
async fn another_topic_is_taken_on_purpose_only_and_the_former_serves_its_last_phone() {
    on_both(|bench| async move {
        let stage = Stage::new(bench).await;
        let council = stage.council.clone();
        let (first, old) = stage.obtain(&council, None).await;
        stage.import(&council, &first, ACCOUNT, false).await.expect("imported");
        let phone = enrolled(&stage.bench, &council, Mode::Device, |it| it.topic = Some(old.clone())).await;
        let (second, new) = stage.obtain(&council, None).await;
        let refused = stage.import(&council, &second, ACCOUNT, false).await.expect_err("another topic");
        assert!(matches!(refused, Error::Conflict(ref text) if text.contains(ACCOUNT)), "{refused}");
        stage.import(&council, &second, "new@germoe.example", true).await.expect("on purpose");
        let both = [(new.clone(), PushCertificateState::Current, 0), (old.clone(), PushCertificateState::Retiring, 1)];
        assert_eq!(stage.states().await, both);
        // The former can still be renewed while it is needed, and stays the former.
        let (renewed, _) = stage.obtain(&council, Some(&old)).await;
        stage.import(&council, &renewed, ACCOUNT, false).await.expect("renewed");
        let mut states = stage.states().await;
        states.sort();
        let mut expected = both.to_vec();
        expected.sort();
        assert_eq!(states, expected);
        let context = stage.bench.context(Actor::System);
        stage.bench.database.write("retire", move |tx| retire_unused(tx, &context)).await.expect("looked");
        assert_eq!(stage.states().await.len(), 2, "a phone needs it");
        let context = stage.bench.context(Actor::System);
        stage
            .bench
            .database
            .write("retire", move |tx| {
                store::enrolments::end(tx, &phone.council_id, &phone.id, context.now, "replaced")?;
                retire_unused(tx, &context)
            })
            .await
            .expect("retired");
        assert_eq!(stage.states().await, [(new, PushCertificateState::Current, 0)]);
    })
    .await;
}

#[tokio::test]
async fn what_answers_no_request_is_no_mdm_certificate_or_has_ended_is_refused() {
    on_both(|bench| async move {
        let stage = Stage::new(bench).await;
        let council = stage.council.clone();
        let other = stage.bench.council("coreley").await;
        let (pem, _) = stage.obtain(&other, None).await;
        for (file, account) in [(pem.as_str(), "a"), ("no certificate", "a")] {
            let refused = stage.import(&council, file, account, false).await.expect_err("refused");
            assert!(matches!(refused, Error::Invalid { ref field, .. } if field == "certificate"), "{refused}");
        }
        let minted = stage.portal.mint_push_certificate().expect("a certificate");
        assert!(stage.import(&council, &minted.certificate_pem, "a", false).await.is_err(), "its key is elsewhere");
        let vendor = stage.portal.mint_vendor_certificate().expect("a vendor");
        let refused = stage.import(&council, &vendor.certificate_pem, "a", false).await.expect_err("no topic");
        assert!(refused.to_string().contains("topic"), "{refused}");
        let (pem, _) = stage.obtain(&council, None).await;
        stage.bench.clock.advance(chrono::Duration::days(400));
        let refused = stage.import(&council, &pem, "a", false).await.expect_err("ended");
        assert!(refused.to_string().contains("ended"), "{refused}");
    })
    .await;
}
