//! Which call a request is: the Android Management API by the paths of the table, Pub/Sub by hand.

use super::http::decoded;
use crate::android::schema::TABLE;

/// A call and the identifiers in its path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) ids: Vec<String>,
}

impl Call {
    pub(crate) fn id(&self, place: usize) -> &str {
        self.ids.get(place).map_or("", String::as_str)
    }
}

/// The call of the Android Management API, or none.
pub(crate) fn api(method: &str, path: &str) -> Option<Call> {
    TABLE
        .methods
        .iter()
        .filter(|(_, known)| known.http == method)
        .find_map(|(name, known)| fit(&known.path, path).map(|ids| Call { name: name.clone(), ids }))
}

/// Pub/Sub's calls that a server needs, with the paths of its REST interface.
const PUBSUB: [(&str, &str, &str); 11] = [
    ("topics.create", "PUT", "v1/projects/{}/topics/{}"),
    ("topics.get", "GET", "v1/projects/{}/topics/{}"),
    ("topics.delete", "DELETE", "v1/projects/{}/topics/{}"),
    ("topics.getIamPolicy", "GET", "v1/projects/{}/topics/{}:getIamPolicy"),
    ("topics.setIamPolicy", "POST", "v1/projects/{}/topics/{}:setIamPolicy"),
    ("subscriptions.create", "PUT", "v1/projects/{}/subscriptions/{}"),
    ("subscriptions.get", "GET", "v1/projects/{}/subscriptions/{}"),
    ("subscriptions.delete", "DELETE", "v1/projects/{}/subscriptions/{}"),
    ("subscriptions.pull", "POST", "v1/projects/{}/subscriptions/{}:pull"),
    ("subscriptions.acknowledge", "POST", "v1/projects/{}/subscriptions/{}:acknowledge"),
    ("subscriptions.modifyAckDeadline", "POST", "v1/projects/{}/subscriptions/{}:modifyAckDeadline"),
];

/// The call of Pub/Sub, or none.
pub(crate) fn pubsub(method: &str, path: &str) -> Option<Call> {
    PUBSUB
        .iter()
        .filter(|(_, http, _)| *http == method)
        .find_map(|(name, _, template)| fit(template, path).map(|ids| Call { name: (*name).to_owned(), ids }))
}

/// The identifiers, when a path fits a template; a verb after a colon must fit too, and no identifier may contain one.
fn fit(template: &str, path: &str) -> Option<Vec<String>> {
    let path = path.strip_prefix('/')?;
    let (template, wanted) = template.split_once(':').map_or((template, None), |(path, verb)| (path, Some(verb)));
    let (path, verb) = match wanted {
        Some(wanted) => path.strip_suffix(wanted)?.strip_suffix(':').map(|path| (path, Some(wanted)))?,
        None => (path, None),
    };
    let (names, parts): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    if names.len() != parts.len() || verb != wanted {
        return None;
    }
    let mut ids = Vec::new();
    for (name, part) in names.into_iter().zip(parts) {
        if name.starts_with('{') {
            let id = decoded(part).filter(|id| !id.is_empty() && !id.contains([':', '/']))?;
            ids.push(id);
        } else if name != part {
            return None;
        }
    }
    Some(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_recognised_by_method_and_verb() {
        let call = api("POST", "/v1/enterprises/LC1/devices/d1:issueCommand").expect("known");
        assert_eq!((call.name.as_str(), call.id(0), call.id(1)), ("enterprises.devices.issueCommand", "LC1", "d1"));
        let call = api("POST", "/v1/enterprises/LC1/devices/d1/operations/7:cancel").expect("known");
        assert_eq!(call.name, "enterprises.devices.operations.cancel");
        assert_eq!(api("DELETE", "/v1/enterprises/LC1").expect("known").name, "enterprises.delete");
        assert_eq!(api("GET", "/v1/enterprises/LC1/devices/d1:issueCommand"), None);
        assert_eq!(api("POST", "/v2/signupUrls"), None);
        let call = pubsub("POST", "/v1/projects/p/subscriptions/s:pull").expect("known");
        assert_eq!((call.name.as_str(), call.id(1)), ("subscriptions.pull", "s"));
        assert_eq!(pubsub("POST", "/v1/projects/p/subscriptions/s%3Apull"), None);
    }
}
