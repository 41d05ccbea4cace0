//! Sign-up of a council and its enterprise.

use serde_json::{Value, json};

use super::refusal::{Answer, Refusal};
use super::route::Call;
use super::state::{Enterprise, Moment, SignUp, State};
use crate::android::schema::{Mask, apply_mask, enterprise_rules, without_defaults};

/// Google's own account that must be allowed to publish to a topic.
pub(crate) const PUBLISHER: &str = "serviceAccount:android-cloud-policy@system.gserviceaccount.com";

fn value<'a>(query: &'a [(String, String)], name: &str) -> &'a str {
    query.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
}

impl State {
    pub(crate) fn create_sign_up(&mut self, query: &[(String, String)], project: &str) -> Answer {
        own_project(query, project)?;
        let callback = value(query, "callbackUrl");
        let fine = reqwest::Url::parse(callback).is_ok_and(|url| matches!(url.scheme(), "https" | "http"));
        if !fine {
            return Err(Refusal::invalid("callbackUrl must be an address."));
        }
        let id = format!("C{}", super::random_hex(8).map_err(|_| Refusal::usual(500))?);
        let url = format!("https://enterprise.google.com/signup/android/email?origin=android&thirdPartyToken={id}");
        let name = format!("signupUrls/{id}");
        self.sign_ups.insert(
            name.clone(),
            SignUp {
                project: project.to_owned(),
                url: url.clone(),
                callback: callback.to_owned(),
                organisation: String::new(),
                enterprise_token: None,
                used: false,
            },
        );
        Ok(json!({ "name": name, "url": url }))
    }

    /// The admin in Google's sign-up page: `None` when no such page was made, or it was completed before.
    pub(crate) fn complete_sign_up(&mut self, url: &str, organisation: &str, secret: String) -> Option<String> {
        let sign_up = self.sign_ups.values_mut().find(|sign_up| sign_up.url == url && !sign_up.used)?;
        let mut callback = reqwest::Url::parse(&sign_up.callback).ok()?;
        callback.query_pairs_mut().append_pair("enterpriseToken", &secret);
        sign_up.enterprise_token = Some(secret);
        organisation.clone_into(&mut sign_up.organisation);
        Some(callback.into())
    }

    pub(crate) fn create_enterprise(&mut self, query: &[(String, String)], body: &Value, project: &str) -> Answer {
        own_project(query, project)?;
        Refusal::unless_fine(enterprise_rules(body))?;
        self.may_publish(body, project)?;
        let (name, token) = (value(query, "signupUrlName"), value(query, "enterpriseToken"));
        if name.is_empty() || token.is_empty() {
            return Err(Refusal::invalid("signupUrlName and enterpriseToken must be given."));
        }
        let sign_up = self.sign_ups.get_mut(name).filter(|sign_up| sign_up.project == project);
        let sign_up = sign_up.ok_or_else(|| Refusal::invalid("There is no such signupUrlName."))?;
        if sign_up.enterprise_token.as_deref() != Some(token) {
            return Err(Refusal::invalid("The enterpriseToken does not belong to this sign-up."));
        }
        if std::mem::replace(&mut sign_up.used, true) {
            return Err(Refusal::exists("The enterpriseToken was used before."));
        }
        let organisation = sign_up.organisation.clone();
        let id = format!("LC{}", super::random_hex(4).map_err(|_| Refusal::usual(500))?);
        let mut resource = without_defaults("Enterprise", body);
        resource["name"] = format!("enterprises/{id}").into();
        if resource.get("enterpriseDisplayName").is_none() {
            resource["enterpriseDisplayName"] = organisation.into();
        }
        resource["enterpriseType"] = "MANAGED_GOOGLE_PLAY_ACCOUNTS_ENTERPRISE".into();
        resource["managedGooglePlayAccountsEnterpriseType"] = "CUSTOMER_MANAGED".into();
        let enterprise =
            Enterprise { project: project.to_owned(), resource: resource.clone(), ..Enterprise::default() };
        self.enterprises.insert(id.clone(), enterprise);
        Ok(resource)
    }

    pub(crate) fn patch_enterprise(
        &mut self,
        call: &Call,
        query: &[(String, String)],
        body: &Value,
        project: &str,
        moment: Moment,
    ) -> Answer {
        let id = call.id(0);
        let stored = self.enterprise(id, project)?.resource.clone();
        let mask = match value(query, "updateMask") {
            "" => None,
            text => Some(
                Mask::read("Enterprise", text)
                    .map_err(|found| Refusal::unless_fine(found).err().unwrap_or_else(Refusal::not_found))?,
            ),
        };
        let mut merged = without_defaults("Enterprise", &apply_mask(&stored, body, mask.as_ref()));
        for name in ["name", "enterpriseType", "managedGooglePlayAccountsEnterpriseType"] {
            if let Some(kept) = stored.get(name) {
                merged[name] = kept.clone();
            }
        }
        Refusal::unless_fine(enterprise_rules(&merged))?;
        self.may_publish(&merged, project)?;
        let fresh = merged.get("pubsubTopic").is_some() && merged.get("pubsubTopic") != stored.get("pubsubTopic");
        self.enterprise(id, project)?.resource = merged.clone();
        if fresh {
            // Google tries the topic with a message that carries no data.
            self.notify(id, "TEST", None, moment);
        }
        Ok(merged)
    }

    /// Refuses a topic that does not exist or that Google may not publish to.
    fn may_publish(&self, enterprise: &Value, project: &str) -> Result<(), Refusal> {
        let Some(topic) = enterprise.get("pubsubTopic").and_then(Value::as_str) else { return Ok(()) };
        if !topic.starts_with(&format!("projects/{project}/topics/")) {
            return Err(Refusal::forbidden("The topic belongs to another project."));
        }
        match self.pubsub.may_publish(topic, PUBLISHER) {
            Some(true) => Ok(()),
            Some(false) => Err(Refusal::forbidden(format!(
                "android-cloud-policy@system.gserviceaccount.com is not permitted to publish to {topic}."
            ))),
            None => Err(Refusal::not_found()),
        }
    }

    /// Refused whatever the state: for a council's enterprise Google has no undo, and a server has no reason to ask.
    pub(crate) fn refuse_to_delete_enterprise(&mut self, call: &Call) -> Answer {
        self.violation(format!("GRAVE: enterprises.delete was called for {}", call.id(0)));
        Err(Refusal::precondition("Only EMM-managed enterprises can be deleted."))
    }
}

fn own_project(query: &[(String, String)], project: &str) -> Result<(), Refusal> {
    match value(query, "projectId") {
        "" => Err(Refusal::invalid("projectId must be given.")),
        named if named == project => Ok(()),
        _ => Err(Refusal::forbidden("The caller does not have permission for this project.")),
    }
}
