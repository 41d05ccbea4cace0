//! The invitation's link knows what it was opened on, and says the next step there.

use beadle_server::demo::{Invited, Town};
use beadle_tests::on_both;

use super::connected;

const ANDROID: &str =
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36";
const IPHONE: &str =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 Version/26.0 Mobile Safari/604.1";
const COMPUTER: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36";

/// The page as this browser is shown it; of a form's answer when `form` is given.
async fn opened(town: &Town, url: &str, agent: &str, form: Option<&[(&str, &str)]>) -> String {
    let root = reqwest::Certificate::from_pem(town.root_pem.as_bytes()).expect("a certificate");
    let client = reqwest::Client::builder().tls_certs_merge([root]).user_agent(agent).build().expect("a client");
    let request = match form {
        None => client.get(url),
        Some(fields) => client.post(url).form(fields),
    };
    let answer = request.send().await.expect("an answer");
    assert!(answer.status().is_success(), "{}", answer.status());
    answer.text().await.expect("a page")
}

const ACCEPT: &str = "I have read this and accept";

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_phone_is_told_its_next_step_and_the_wrong_kind_that_it_is() {
    on_both(async |town: &Town| {
        let council = connected(town, "germoe").await;
        let options = town.phone_options("an iPhone");
        let apple = town.invite(&council, "GPC-501", "Ann Angove", &options).await.expect("invited");
        let own =
            town.invite_android(&council, "OWN-502", "Ed Edwards", "personal_work_profile").await.expect("invited");
        let work = town.invite_android(&council, "GPC-503", "Dora Dyer", "fully_managed").await.expect("invited");
        for (invited, agent, says, accepts) in [
            (&apple, ANDROID, "you opened it on an Android phone", false),
            (&apple, IPHONE, "This is a device of the council", true),
            (&apple, COMPUTER, "only on the iPhone or iPad itself", true),
            (&own, ANDROID, "go on here", true),
            (&own, IPHONE, "you opened it on an iPhone or iPad", false),
            (&own, COMPUTER, "open this same link on your own Android phone", true),
            (&work, ANDROID, "A phone cannot scan its own screen", true),
            (&work, IPHONE, "scan a code from this screen", true),
            (&work, COMPUTER, "scan a code from this screen", true),
        ] {
            let page = opened(town, &invited.link, agent, None).await;
            assert!(page.contains(says), "{} on {agent}: {page}", invited.tag);
            assert_eq!(page.contains(ACCEPT), accepts, "{} on {agent}", invited.tag);
        }
        for (invited, agent, first, then) in [
            (&own, ANDROID, "class=\"get\" href=\"https://enterprise.google.com", "<svg"),
            (&own, COMPUTER, "<svg", "Or open this link on that phone"),
            (&work, ANDROID, "must be another one than this", "<svg"),
            (&work, COMPUTER, "Scan this code with the new phone", "<svg"),
        ] {
            let page = code_page(town, invited, agent).await;
            let places = [first, then].map(|words| page.find(words).unwrap_or_else(|| panic!("{words}: {page}")));
            assert!(places[0] < places[1], "{} on {agent}: first {first}", invited.tag);
        }
        assert_eq!(town.google.judgement().nothing_wrong(), Ok(()));
    })
    .await;
}

async fn code_page(town: &Town, invited: &Invited, agent: &str) -> String {
    let page = opened(town, &invited.link, agent, None).await;
    if page.contains(ACCEPT) {
        let (_, rest) = page.split_once("name=\"notice\" value=\"").expect("a notice");
        let notice = rest.split_once('"').expect("its end").0.to_owned();
        opened(town, &invited.link, agent, Some(&[("notice", &notice)])).await;
    }
    opened(town, &format!("{}/android", invited.link), agent, Some(&[])).await
}
