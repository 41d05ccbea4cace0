//! Enrolment tokens: made for one policy, shown as a link or a QR code, dead after their time or their one use.

use serde_json::{Map, Value, json};

use super::refusal::{Answer, Refusal};
use super::route::Call;
use super::state::{EnrolmentToken, Moment, State, id_of, listed};
use super::time::written;
use crate::android::schema::enrolment_token_rules;

/// Google's app that manages the phone, as the code names it.
pub(crate) const ADMIN_COMPONENT: &str = "com.google.android.apps.work.clouddpc/.receivers.CloudDeviceAdminReceiver";
/// Where the code carries the token.
pub(crate) const EXTRAS: &str = "android.app.extra.PROVISIONING_ADMIN_EXTRAS_BUNDLE";
/// The token inside the extras.
pub(crate) const EXTRA_TOKEN: &str = "com.google.android.apps.work.clouddpc.EXTRA_ENROLLMENT_TOKEN";
/// An hour.
const USUAL: i64 = 3600;
/// Google keeps moments up to the end of the year 9999.
const LAST: i64 = 253_402_300_799_999;

fn partial(enterprise: &str, id: &str, token: &EnrolmentToken) -> Value {
    json!({
        "name": format!("enterprises/{enterprise}/enrollmentTokens/{id}"),
        "value": token.value,
        "expirationTimestamp": written(token.expires),
        "allowPersonalUsage": token.allow_personal_usage,
        "qrCode": token.qr_code,
    })
}

impl EnrolmentToken {
    pub(crate) fn usable(&self, world: i64) -> bool {
        self.expires > world && !(self.one_time && self.used > 0)
    }
}

impl State {
    pub(crate) fn create_enrolment_token(
        &mut self,
        call: &Call,
        body: &Value,
        project: &str,
        moment: Moment,
    ) -> Answer {
        let enterprise_id = call.id(0);
        let enterprise = self.enterprise(enterprise_id, project)?;
        Refusal::unless_fine(enrolment_token_rules(body))?;
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let policies = format!("enterprises/{enterprise_id}/policies");
        let policy = match text("policyName") {
            None => "default",
            Some(name) => id_of(name, &policies)
                .filter(|id| enterprise.policies.contains_key(*id))
                .ok_or_else(|| Refusal::invalid("policyName names no policy of this enterprise."))?,
        };
        let seconds = text("duration").and_then(crate::android::schema::duration_seconds).unwrap_or(USUAL);
        let random = |octets| super::random_hex(octets).map_err(|_| Refusal::usual(500));
        let (id, value) = (random(16)?, random(10)?.to_uppercase());
        let mut extras = Map::new();
        extras.insert(EXTRA_TOKEN.into(), value.clone().into());
        let qr_code = json!({
            "android.app.extra.PROVISIONING_DEVICE_ADMIN_COMPONENT_NAME": ADMIN_COMPONENT,
            "android.app.extra.PROVISIONING_DEVICE_ADMIN_SIGNATURE_CHECKSUM": "I5YvS0O5hXY46mb01BlRjq4oJJGs2kuUcHvVkAPEXlg",
            "android.app.extra.PROVISIONING_DEVICE_ADMIN_PACKAGE_DOWNLOAD_LOCATION":
                "https://play.google.com/managed/downloadManagingApp?identifier=setup",
            EXTRAS: extras,
        });
        let token = EnrolmentToken {
            value,
            policy: policy.to_owned(),
            additional_data: text("additionalData").filter(|data| !data.is_empty()).map(str::to_owned),
            allow_personal_usage: text("allowPersonalUsage").unwrap_or("ALLOW_PERSONAL_USAGE_UNSPECIFIED").to_owned(),
            one_time: body.get("oneTimeOnly").and_then(Value::as_bool).unwrap_or(false),
            used: 0,
            expires: moment.world.saturating_add(seconds.saturating_mul(1000)).min(LAST),
            qr_code: qr_code.to_string(),
            duration: text("duration").map(str::to_owned),
        };
        let mut answer = partial(enterprise_id, &id, &token);
        answer["policyName"] = format!("{policies}/{}", token.policy).into();
        if token.one_time {
            answer["oneTimeOnly"] = true.into();
        }
        for (name, value) in [("additionalData", &token.additional_data), ("duration", &token.duration)] {
            if let Some(value) = value {
                answer[name] = value.as_str().into();
            }
        }
        enterprise.tokens.insert(id, token);
        Ok(answer)
    }

    pub(crate) fn get_enrolment_token(&mut self, call: &Call, project: &str, moment: Moment) -> Answer {
        let enterprise = self.enterprise(call.id(0), project)?;
        let token = enterprise.tokens.get(call.id(1)).filter(|token| token.usable(moment.world));
        Ok(partial(call.id(0), call.id(1), token.ok_or_else(Refusal::not_found)?))
    }

    pub(crate) fn list_enrolment_tokens(
        &mut self,
        call: &Call,
        query: &[(String, String)],
        project: &str,
        moment: Moment,
    ) -> Answer {
        let enterprise = self.enterprise(call.id(0), project)?;
        let active = enterprise.tokens.iter().filter(|(_, token)| token.usable(moment.world));
        let active = active.map(|(id, token)| (id.clone(), partial(call.id(0), id, token))).collect();
        let (entries, next) = super::state::page(&active, query, 10)?;
        let items = entries.into_iter().map(|(_, token)| token.clone()).collect();
        Ok(listed("enrollmentTokens", items, next))
    }

    pub(crate) fn delete_enrolment_token(&mut self, call: &Call, project: &str) -> Answer {
        let enterprise = self.enterprise(call.id(0), project)?;
        enterprise.tokens.remove(call.id(1)).ok_or_else(Refusal::not_found)?;
        Ok(Value::Object(Map::new()))
    }
}
