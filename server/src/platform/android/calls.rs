//! What Beadle asks of the Android Management API, one function a method.
//!
//! Source: discovery document, `resources`; a method that is not here is not called. `enterprises.delete` is not here on
//! purpose: it would take every device of a council with it.

use beadle_enrollment::android::TokenRequest;
use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::client::{Call, GoogleClient, json};
use super::command::Message;
use super::failure::Failure;
use super::message::{DeviceReport, DeviceState, Operation};
use super::name::{self, Kind};
use super::resources::{DevicePage, DevicePatch, EnrollmentToken, Enterprise, EnterprisePatch, SignupUrl};
use super::retry::Repeat;
use super::token::Access;
use crate::error::Error;
use crate::model::{Release, Scope};

/// The longest page that Google gives.
const PAGE: u32 = 100;
/// How many pages of one device's operations are read before it is given up: far more than there are.
const MOST_PAGES: usize = 100;

/// The resource that a call is about, and the method that is called on it or the collection in it.
enum On<'a> {
    Itself(Kind, &'a str),
    Method(Kind, &'a str, &'static str),
    Collection(Kind, &'a str, &'static str),
    Root(&'static str),
}

impl GoogleClient {
    fn address(&self, on: &On<'_>, query: &[(&str, &str)]) -> Result<Url, Failure> {
        let mut url = match on {
            On::Itself(kind, name) => name::address(self.api(), &name::parts(*kind, name)?, None)?,
            On::Method(kind, name, method) => name::address(self.api(), &name::parts(*kind, name)?, Some(method))?,
            On::Collection(kind, name, collection) => {
                let mut parts = name::parts(*kind, name)?;
                parts.push(collection);
                name::address(self.api(), &parts, None)?
            }
            On::Root(collection) => name::address(self.api(), &[collection], None)?,
        };
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    fn call(
        &self,
        method: Method,
        on: &On<'_>,
        query: &[(&str, &str)],
        body: Option<Vec<u8>>,
        repeat: Repeat,
    ) -> Result<Call, Failure> {
        let (access, timeout) = (Access::Management, self.patience().call);
        Ok(Call { method, url: self.address(on, query)?, body, access, repeat, timeout })
    }

    /// signupUrls.create: a page where a council's administrator signs up; afterwards Google leads him to `callback`.
    pub async fn create_signup_url(&self, project: &str, callback: &Url) -> Result<SignupUrl, Failure> {
        let query = [("projectId", project), ("callbackUrl", callback.as_str())];
        self.ask(self.call(Method::POST, &On::Root("signupUrls"), &query, None, Repeat::Once)?).await
    }

    /// enterprises.create: the end of a sign-up, with what came back to the callback as `enterpriseToken`. `enterprise` may name
    /// the topic of notifications at once.
    pub async fn create_enterprise(
        &self,
        project: &str,
        signup_url_name: &str,
        enterprise_token: &str,
        enterprise: &EnterprisePatch,
    ) -> Result<Enterprise, Failure> {
        let query = [("projectId", project), ("signupUrlName", signup_url_name), ("enterpriseToken", enterprise_token)];
        let body = Some(json(enterprise)?);
        self.ask(self.call(Method::POST, &On::Root("enterprises"), &query, body, Repeat::Once)?).await
    }

    /// enterprises.patch, of what is set in `patch` only.
    pub async fn patch_enterprise(&self, enterprise: &str, patch: &EnterprisePatch) -> Result<Enterprise, Failure> {
        let on = On::Itself(Kind::Enterprise, enterprise);
        let mask = patch.mask();
        if mask.is_empty() {
            return Err(Failure::Fault(Error::internal("a change of an enterprise changes nothing")));
        }
        let query = [("updateMask", mask.as_str())];
        self.ask(self.call(Method::PATCH, &on, &query, Some(json(patch)?), Repeat::Safe)?).await
    }

    /// policies.patch without a mask: makes the policy, or replaces all of it. Returns the version that devices will report
    /// once they have applied it.
    pub async fn patch_policy(&self, policy: &str, body: &Value) -> Result<i64, Failure> {
        let on = On::Itself(Kind::Policy, policy);
        let answer: PolicyAnswer =
            self.ask(self.call(Method::PATCH, &on, &[], Some(json(body)?), Repeat::Safe)?).await?;
        answer.version.parse().map_err(|_| Failure::again("the answer names no version of the policy"))
    }

    /// enrollmentTokens.create.
    pub async fn create_enrollment_token(
        &self,
        enterprise: &str,
        request: &TokenRequest,
    ) -> Result<EnrollmentToken, Failure> {
        let on = On::Collection(Kind::Enterprise, enterprise, "enrollmentTokens");
        self.ask(self.call(Method::POST, &on, &[], Some(json(request)?), Repeat::Once)?).await
    }

    /// enrollmentTokens.delete: nobody can enrol with it any more. One that is gone already is as good.
    pub async fn delete_enrollment_token(&self, token: &str) -> Result<(), Failure> {
        let on = On::Itself(Kind::EnrollmentToken, token);
        gone(self.send(self.call(Method::DELETE, &on, &[], None, Repeat::Safe)?).await)
    }

    /// devices.get. A device that was deleted is [`Failure::NotFound`], also where Google still answers with its last state.
    pub async fn get_device(&self, device: &str) -> Result<DeviceReport, Failure> {
        let on = On::Itself(Kind::Device, device);
        let report = self.device(self.call(Method::GET, &on, &[], None, Repeat::Safe)?).await?;
        if report.state == Some(DeviceState::Deleted) { Err(Failure::NotFound) } else { Ok(report) }
    }

    /// devices.list: one page of at most 100.
    pub async fn list_devices(&self, enterprise: &str, page: Option<&str>) -> Result<DevicePage, Failure> {
        let on = On::Collection(Kind::Enterprise, enterprise, "devices");
        let size = PAGE.to_string();
        let query: Vec<(&str, &str)> =
            [Some(("pageSize", size.as_str())), page.map(|page| ("pageToken", page))].into_iter().flatten().collect();
        let answer: DevicesAnswer = self.ask(self.call(Method::GET, &on, &query, None, Repeat::Safe)?).await?;
        let devices = answer.devices.into_iter().filter_map(DeviceReport::read).collect();
        Ok(DevicePage { devices, next: answer.next_page_token.filter(|token| !token.is_empty()) })
    }

    /// devices.patch of the policy's name.
    pub async fn patch_device_policy(&self, device: &str, policy: &str) -> Result<DeviceReport, Failure> {
        name::parts(Kind::Policy, policy)?;
        let on = On::Itself(Kind::Device, device);
        let query = [("updateMask", "policyName")];
        let patch = json(&DevicePatch { policy_name: policy })?;
        self.device(self.call(Method::PATCH, &on, &query, Some(patch), Repeat::Safe)?).await
    }

    async fn device(&self, call: Call) -> Result<DeviceReport, Failure> {
        let raw: Value = self.ask(call).await?;
        DeviceReport::read(raw).ok_or_else(|| Failure::again("the answer names no device"))
    }

    /// devices.issueCommand. What destroys is tried once only, since its proof is of one moment.
    pub async fn issue_command(&self, device: &str, message: &Message) -> Result<Operation, Failure> {
        let on = On::Method(Kind::Device, device, "issueCommand");
        let repeat = if message.destroys() { Repeat::Never } else { Repeat::Once };
        let raw: Value = self.ask(self.call(Method::POST, &on, &[], Some(json(message.body())?), repeat)?).await?;
        Operation::read(raw).ok_or_else(|| Failure::Unclear { problem: "the answer names no operation".to_owned() })
    }

    /// operations.get.
    pub async fn get_operation(&self, operation: &str) -> Result<Operation, Failure> {
        let on = On::Itself(Kind::Operation, operation);
        let raw: Value = self.ask(self.call(Method::GET, &on, &[], None, Repeat::Safe)?).await?;
        Operation::read(raw).ok_or_else(|| Failure::again("the answer names no operation"))
    }

    /// operations.list: all operations of a device, every page; never a part of them, because who asks wants to know
    /// whether one is missing.
    pub async fn list_operations(&self, device: &str) -> Result<Vec<Operation>, Failure> {
        let on = On::Collection(Kind::Device, device, "operations");
        let size = PAGE.to_string();
        let mut found = Vec::new();
        let mut page: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut query = vec![("pageSize", size.as_str())];
            query.extend(page.as_deref().map(|page| ("pageToken", page)));
            let answer: OperationsAnswer = self.ask(self.call(Method::GET, &on, &query, None, Repeat::Safe)?).await?;
            found.extend(answer.operations.into_iter().filter_map(Operation::read));
            match answer.next_page_token.filter(|token| !token.is_empty()) {
                Some(token) => page = Some(token),
                None => return Ok(found),
            }
        }
        Err(Failure::again("the list of the device's operations has no end"))
    }

    /// operations.cancel: asks Google to take a command back. Whether it was in time is for the operation to say.
    pub async fn cancel_operation(&self, operation: &str) -> Result<(), Failure> {
        let on = On::Method(Kind::Operation, operation, "cancel");
        self.send(self.call(Method::POST, &on, &[], None, Repeat::Safe)?).await.map(drop)
    }

    /// devices.delete, which would wipe a device that is still there: only with the release that follows a confirmed end,
    /// and tried once only. A record that is gone already is as good.
    ///
    /// # Errors
    /// [`Failure::Fault`] with any other release.
    pub async fn delete_device(&self, release: &Release, device: &str) -> Result<(), Failure> {
        match release.scope() {
            Scope::ForgetRecord => {}
            Scope::EraseDevice | Scope::EraseWorkProfile => {
                let problem = "a device's record is forgotten only by the release that says so";
                return Err(Failure::Fault(Error::forbidden(problem)));
            }
        }
        let on = On::Itself(Kind::Device, device);
        gone(self.send(self.call(Method::DELETE, &on, &[], None, Repeat::Never)?).await)
    }
}

fn gone(answer: Result<Vec<u8>, Failure>) -> Result<(), Failure> {
    match answer {
        Ok(_) | Err(Failure::NotFound) => Ok(()),
        Err(failure) => Err(failure),
    }
}

#[derive(Deserialize)]
struct PolicyAnswer {
    /// int64 as text.
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DevicesAnswer {
    #[serde(default)]
    devices: Vec<Value>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OperationsAnswer {
    #[serde(default)]
    operations: Vec<Value>,
    next_page_token: Option<String>,
}
