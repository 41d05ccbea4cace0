//! Each rule of Google's cloud, each fault and each misbehaviour, seen from a server's side.

mod commands;
mod enterprises;
mod faults;
mod policies;
mod pubsub;
mod token;

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::android::phone::AndroidPhone;

/// A server in small: it signs its claim with the key file and calls.
pub(crate) struct Server {
    pub(crate) cloud: GoogleCloud,
    http: reqwest::Client,
    key: Value,
    token: String,
}

/// A signed claim, as an honest server makes it but for what the test changes.
pub(crate) fn assertion(key: &Value, change: impl FnOnce(&mut Value, &mut Value)) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let now = Clock::system().unix();
    let mut head = json!({ "alg": "RS256", "typ": "JWT", "kid": key["private_key_id"] });
    let mut claims = json!({
        "iss": key["client_email"],
        "scope": "https://www.googleapis.com/auth/androidmanagement https://www.googleapis.com/auth/pubsub",
        "aud": key["token_uri"],
        "iat": now,
        "exp": now + 3600,
    });
    change(&mut head, &mut claims);
    let signed = [head, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    let private = openssl::pkey::PKey::private_key_from_pem(key["private_key"].as_str().unwrap().as_bytes()).unwrap();
    let mut signer = openssl::sign::Signer::new(openssl::hash::MessageDigest::sha256(), &private).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signer.sign_oneshot_to_vec(signed.as_bytes()).unwrap()))
}

pub(crate) const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

impl Server {
    pub(crate) async fn new() -> Self {
        let cloud = GoogleCloud::start().await.unwrap();
        let key = serde_json::from_str(&cloud.service_account_key()).unwrap();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
        let mut server = Self { cloud, http, key, token: String::new() };
        server.sign_in(|_, _| {}).await.unwrap();
        server
    }

    pub(crate) fn key(&self) -> &Value {
        &self.key
    }

    /// Asks for a token; the error's code when there is none.
    pub(crate) async fn sign_in(
        &mut self,
        change: impl FnOnce(&mut Value, &mut Value),
    ) -> std::result::Result<(), String> {
        let assertion = assertion(&self.key, change);
        let answer = self.form(&[("grant_type", GRANT), ("assertion", &assertion)]).await;
        match answer["access_token"].as_str() {
            Some(token) => {
                token.clone_into(&mut self.token);
                assert_eq!(answer["token_type"], "Bearer");
                Ok(())
            }
            None => Err(answer["error"].as_str().unwrap().to_owned()),
        }
    }

    pub(crate) async fn form(&self, fields: &[(&str, &str)]) -> Value {
        let request = self.http.post(self.key["token_uri"].as_str().unwrap()).form(fields);
        request.send().await.unwrap().json().await.unwrap()
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.try_call(method, path, body).await.unwrap()
    }

    pub(crate) async fn try_call(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> reqwest::Result<(u16, Value)> {
        let base = if path.starts_with("/v1/projects/") { self.cloud.pubsub_url() } else { self.cloud.api_url() };
        let mut request = self.http.request(method.parse().unwrap(), format!("{base}{path}")).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await?;
        Ok((response.status().as_u16(), response.json().await?))
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.call("POST", path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> (u16, Value) {
        self.call("PATCH", path, Some(body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.call("GET", path, None).await
    }

    pub(crate) async fn delete(&self, path: &str) -> (u16, Value) {
        self.call("DELETE", path, None).await
    }

    /// A council's enterprise, by the whole way round: its name.
    pub(crate) async fn enterprise(&self, council: &str) -> String {
        let project = self.cloud.project();
        let callback = "https%3A%2F%2Fbeadle.example%2Fgoogle%3Fstate%3Dxyz";
        let path = format!("/v1/signupUrls?projectId={project}&callbackUrl={callback}");
        let (status, sign_up) = self.call("POST", &path, None).await;
        assert_eq!(status, 200, "{sign_up}");
        let back = self.cloud.console_completes_sign_up(sign_up["url"].as_str().unwrap(), council).unwrap();
        assert!(back.starts_with("https://beadle.example/google?state=xyz&enterpriseToken="), "{back}");
        let token = back.rsplit('=').next().unwrap();
        let name = sign_up["name"].as_str().unwrap();
        let path = format!("/v1/enterprises?projectId={project}&signupUrlName={name}&enterpriseToken={token}");
        let (status, enterprise) = self.post(&path, json!({})).await;
        assert_eq!(status, 200, "{enterprise}");
        assert_eq!(enterprise["enterpriseDisplayName"], council);
        enterprise["name"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn policy(&self, enterprise: &str, id: &str, body: Value) -> Value {
        let (status, policy) = self.patch(&format!("/v1/{enterprise}/policies/{id}"), body).await;
        assert_eq!(status, 200, "{policy}");
        policy
    }

    /// A token for the policy `p`, whose personal usage is `allow`.
    pub(crate) async fn token(&self, enterprise: &str, allow: &str) -> Value {
        let body = json!({
            "policyName": format!("{enterprise}/policies/p"),
            "duration": "3600s",
            "oneTimeOnly": true,
            "additionalData": "beadle1.abc",
            "allowPersonalUsage": allow,
        });
        let (status, token) = self.post(&format!("/v1/{enterprise}/enrollmentTokens"), body).await;
        assert_eq!(status, 200, "{token}");
        token
    }

    /// A councillor's phone with a work profile: the device's name is in it.
    pub(crate) async fn personal(&self, enterprise: &str, phone: &AndroidPhone) -> String {
        let token = self.token(enterprise, "PERSONAL_USAGE_ALLOWED").await;
        let link = format!("https://enterprise.google.com/android/enroll?et={}", token["value"].as_str().unwrap());
        let device = phone.enrol_by_link(&self.cloud, &link).unwrap();
        phone.sync();
        device
    }

    /// A phone of the council: fully managed, or with a work profile when `allow` says so.
    pub(crate) async fn company(&self, enterprise: &str, phone: &AndroidPhone, allow: &str) -> String {
        let token = self.token(enterprise, allow).await;
        let device = phone.enrol_by_qr(&self.cloud, token["qrCode"].as_str().unwrap()).unwrap();
        phone.sync();
        device
    }

    /// Pub/Sub set up as a server sets it up, and the enterprise pointed to it.
    pub(crate) async fn subscribe(&self, enterprise: &str) -> String {
        let project = self.cloud.project();
        let (topic, subscription) =
            (format!("projects/{project}/topics/t"), format!("projects/{project}/subscriptions/s"));
        assert_eq!(self.call("PUT", &format!("/v1/{topic}"), Some(json!({}))).await.0, 200);
        let binding = json!({ "role": "roles/pubsub.publisher", "members": [super::enterprises::PUBLISHER] });
        let body = json!({ "policy": { "bindings": [binding] } });
        assert_eq!(self.post(&format!("/v1/{topic}:setIamPolicy"), body).await.0, 200);
        let body = json!({ "topic": topic, "ackDeadlineSeconds": 10 });
        assert_eq!(self.call("PUT", &format!("/v1/{subscription}"), Some(body)).await.0, 200);
        let body =
            json!({ "pubsubTopic": topic, "enabledNotificationTypes": ["ENROLLMENT", "STATUS_REPORT", "COMMAND"] });
        let path = format!("/v1/{enterprise}?updateMask=pubsubTopic,enabledNotificationTypes");
        let (status, answer) = self.patch(&path, body).await;
        assert_eq!(status, 200, "{answer}");
        subscription
    }

    /// What waits in a subscription now: each message's type, its data, and the id to acknowledge it with.
    pub(crate) async fn pull(&self, subscription: &str) -> Vec<(String, Value, String)> {
        use base64::Engine as _;
        let body = json!({ "maxMessages": 100, "returnImmediately": true });
        let (status, answer) = self.post(&format!("/v1/{subscription}:pull"), body).await;
        assert_eq!(status, 200, "{answer}");
        let read = |received: &Value| {
            let message = &received["message"];
            let data = message["data"].as_str().unwrap_or_default();
            let octets = base64::engine::general_purpose::STANDARD.decode(data).unwrap();
            (
                message["attributes"]["notificationType"].as_str().unwrap().to_owned(),
                serde_json::from_slice(&octets).unwrap_or_default(),
                received["ackId"].as_str().unwrap().to_owned(),
            )
        };
        answer["receivedMessages"].as_array().into_iter().flatten().map(read).collect()
    }

    pub(crate) async fn acknowledge(&self, subscription: &str, ids: &[String]) {
        let (status, _) = self.post(&format!("/v1/{subscription}:acknowledge"), json!({ "ackIds": ids })).await;
        assert_eq!(status, 200);
    }
}

/// The status word of a refusal.
pub(crate) fn refusal(answer: (u16, Value)) -> (u16, String) {
    (answer.0, answer.1["error"]["status"].as_str().unwrap_or_default().to_owned())
}

#[track_caller]
pub(crate) fn assert_refused(answer: (u16, Value), code: u16, status: &str) {
    let shown = answer.1.to_string();
    assert_eq!(refusal(answer), (code, status.to_owned()), "{shown}");
}
