//! The control address: JSON over HTTP, for whoever drives a load or kill test.

use std::collections::BTreeMap;
use std::time::Duration;

use beadle_simulator::android::GoogleCloud;
use beadle_simulator::android::cloud::{Fault, PubSubBehaviour, RandomFaults, Reply, Request, Times};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::fleet::Fleet;

/// What can be asked for, with the fields of the body or query.
const CALLS: [&str; 24] = [
    "GET /key: the service account's key file",
    "POST /sign-up {url, organisation}: completes Google's sign-up page; gives {callback}",
    "POST /phones {kind: personal|company, count, options}: new living phones; gives {phones: [number]}",
    "POST /enrol {phone, link|qr}: gives {device}",
    "POST /enrol-all {links: [..]} or {codes: [..]}, {options}: a new phone for each; gives {devices: [..]}",
    "POST /act {phone, act: online|offline|reset|remove_work_profile|set_up_privately|unlock|leave_lost_mode|weak_pin|strong_pin|\
     work_lock|sync|report}",
    "POST /everyone {online}",
    "GET /phones: every phone in short",
    "GET /phone?phone=: one phone, with everything that happened to it",
    "GET /counts: phones by mode and policy version, wipes, calls by name and status, Pub/Sub",
    "GET /enterprises",
    "GET /devices?enterprise=",
    "GET /operations?device=",
    "GET /resource?name=",
    "GET /log?call=&from=: every call, or those of one name, from a number on",
    "POST /clear-log",
    "GET /violations",
    "GET /judgement: what the judge by Google's discovery document says, in a build with the feature `judge`",
    "POST /fault {calls, fault, times}: such as {\"calls\": \"enterprises.policies.patch\", \"fault\": {\"answer\": 429}, \
     \"times\": {\"next\": 3}}",
    "POST /random-faults {seed, per_thousand, calls, faults}, all but the seed may be left out; {} ends it",
    "POST /clear-faults",
    "POST /pubsub {duplicate_every, reverse, delay, delay_deleted, forget_acknowledgement_every}",
    "POST /quota {queries, seconds}",
    "POST /clock {seconds}: moves the clock of devices and commands ahead",
];

pub(crate) struct Control {
    cloud: GoogleCloud,
    fleet: Fleet,
}

type Answer = Result<Value, String>;

fn read<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    serde_json::from_value(value.clone()).map_err(|error| error.to_string())
}

fn number(body: &Value, name: &str) -> Result<u64, String> {
    body[name].as_u64().ok_or_else(|| format!("{name} must be a number"))
}

fn text<'a>(body: &'a Value, name: &str) -> Result<&'a str, String> {
    body[name].as_str().ok_or_else(|| format!("{name} must be text"))
}

impl Control {
    pub(crate) fn new(cloud: GoogleCloud, answer_after: Duration) -> Self {
        Self { cloud, fleet: Fleet::new(answer_after) }
    }

    pub(crate) fn answer(&self, request: &Request) -> Reply {
        let query = |name: &str| request.query.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value);
        let body: Result<Value, String> = if request.body.is_empty() {
            Ok(json!({}))
        } else {
            serde_json::from_slice(&request.body).map_err(|error| error.to_string())
        };
        let answer = body.and_then(|body| match (request.method.as_str(), request.path.as_str()) {
            ("GET", _) => self.look(&request.path, query),
            ("POST", "/phones" | "/enrol" | "/enrol-all" | "/act" | "/everyone") => self.drive(&request.path, &body),
            ("POST", _) => self.arrange(&request.path, &body),
            _ => Err("GET or POST".into()),
        });
        let (status, body) = match answer {
            Ok(body) => (200, body),
            Err(problem) => (400, json!({ "problem": problem })),
        };
        Reply::Answer { status, body: body.to_string() }
    }

    fn look<'a>(&self, path: &str, query: impl Fn(&str) -> &'a str) -> Answer {
        match path {
            "/" => Ok(json!(CALLS)),
            "/key" => serde_json::from_str(&self.cloud.service_account_key()).map_err(|error| error.to_string()),
            "/phones" => Ok(self.fleet.list()),
            "/phone" => {
                let phone = self.fleet.get(query("phone").parse().map_err(|_| "phone must be a number".to_owned())?)?;
                serde_json::to_value(phone.snapshot()).map_err(|error| error.to_string())
            }
            "/counts" => Ok(self.counts()),
            "/enterprises" => Ok(json!(self.cloud.enterprises())),
            "/devices" => Ok(json!(self.cloud.devices(query("enterprise")))),
            "/operations" => Ok(json!(self.cloud.operations(query("device")))),
            "/resource" => Ok(self.cloud.resource(query("name")).unwrap_or_default()),
            "/log" => {
                let from: u64 = query("from").parse().unwrap_or(0);
                let calls = match query("call") {
                    "" => self.cloud.log(),
                    call => self.cloud.calls(call),
                };
                let calls: Vec<_> = calls.into_iter().filter(|call| call.number >= from).collect();
                serde_json::to_value(calls).map_err(|error| error.to_string())
            }
            "/judgement" => Ok(json!(self.cloud.judgement())),
            "/violations" => Ok(json!(self.cloud.violations())),
            other => Err(format!("there is no {other}")),
        }
    }

    fn drive(&self, path: &str, body: &Value) -> Answer {
        match path {
            "/phones" => {
                let company = match text(body, "kind")? {
                    "personal" => false,
                    "company" => true,
                    other => return Err(format!("there is no {other} phone")),
                };
                let count = body["count"].as_u64().unwrap_or(1);
                let phones = (0..count).map(|_| self.fleet.add(company, &body["options"]));
                Ok(json!({ "phones": phones.collect::<Result<Vec<usize>, String>>()? }))
            }
            "/enrol" => Ok(json!({ "device": self.fleet.enrol(&self.cloud, number(body, "phone")?, body)? })),
            "/enrol-all" => {
                let mut devices = Vec::new();
                for (list, field, company) in [("links", "link", false), ("codes", "qr", true)] {
                    for offer in body[list].as_array().into_iter().flatten() {
                        let phone = self.fleet.add(company, &body["options"])?;
                        let enrolled = self.fleet.enrol(&self.cloud, phone as u64, &json!({ field: offer }));
                        devices.push(match enrolled {
                            Ok(device) => json!({ "phone": phone, "device": device }),
                            Err(problem) => json!({ "phone": phone, "problem": problem }),
                        });
                    }
                }
                Ok(json!({ "devices": devices }))
            }
            "/everyone" => {
                self.fleet.set_online(body["online"].as_bool().ok_or("online must be true or false")?);
                Ok(Value::Null)
            }
            _ => self.fleet.act(number(body, "phone")?, text(body, "act")?),
        }
    }

    fn arrange(&self, path: &str, body: &Value) -> Answer {
        match path {
            "/sign-up" => {
                let callback = self.cloud.console_completes_sign_up(text(body, "url")?, text(body, "organisation")?);
                return Ok(json!({ "callback": callback.map_err(|error| error.to_string())? }));
            }
            "/clear-log" => self.cloud.clear_log(),
            "/fault" => {
                let times: Times = if body["times"].is_null() { Times::Next(1) } else { read(&body["times"])? };
                self.cloud.set_fault(text(body, "calls")?, read::<Fault>(&body["fault"])?, times);
            }
            "/random-faults" => {
                let usual = body["seed"].as_u64().map(RandomFaults::bad_day);
                let random = usual.map(|mut random| {
                    if let Some(share) = body["per_thousand"].as_u64() {
                        random.per_thousand = u32::try_from(share).unwrap_or(1000);
                    }
                    if let Some(calls) = body["calls"].as_str() {
                        calls.clone_into(&mut random.calls);
                    }
                    if !body["faults"].is_null() {
                        random.faults = read(&body["faults"])?;
                    }
                    Ok::<_, String>(random)
                });
                self.cloud.set_random_faults(random.transpose()?);
            }
            "/clear-faults" => self.cloud.clear_faults(),
            "/pubsub" => self.cloud.set_pubsub_behaviour(read::<PubSubBehaviour>(body)?),
            "/quota" => {
                let queries = usize::try_from(number(body, "queries")?).unwrap_or(usize::MAX);
                self.cloud.set_quota(queries, Duration::from_secs(number(body, "seconds")?));
            }
            "/clock" => self.cloud.move_clock(Duration::from_secs(number(body, "seconds")?)),
            other => return Err(format!("there is no {other}")),
        }
        Ok(Value::Null)
    }

    fn counts(&self) -> Value {
        let mut calls: BTreeMap<String, u64> = BTreeMap::new();
        for call in self.cloud.log() {
            let status = call.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
            *calls.entry(format!("{} {status}", call.call)).or_default() += 1;
        }
        let mut counts = self.fleet.counts();
        counts["calls"] = json!(calls);
        counts["pubsub"] = json!(self.cloud.pubsub_counts());
        counts["violations"] = json!(self.cloud.violations().len());
        counts["grave_violations"] = json!(self.cloud.grave_violations());
        counts
    }
}
