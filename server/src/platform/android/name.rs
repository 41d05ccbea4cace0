//! Names of Google's resources, taken apart and put into addresses, so that no name can turn one call into another.
//!
//! `enterprises/LC01` in the place of a device's name would make a deletion of a device one of an enterprise.

use url::Url;

use super::failure::Failure;
use crate::error::Error;

/// What a name is the name of; each is a pattern of collections in the discovery document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Enterprise,
    Policy,
    EnrollmentToken,
    Device,
    Operation,
    Topic,
    Subscription,
}

impl Kind {
    fn collections(self) -> &'static [&'static str] {
        match self {
            Self::Enterprise => &["enterprises"],
            Self::Policy => &["enterprises", "policies"],
            Self::EnrollmentToken => &["enterprises", "enrollmentTokens"],
            Self::Device => &["enterprises", "devices"],
            Self::Operation => &["enterprises", "devices", "operations"],
            Self::Topic => &["projects", "topics"],
            Self::Subscription => &["projects", "subscriptions"],
        }
    }
}

/// The parts of `name`, which must be the name of such a thing and no other.
///
/// # Errors
/// [`Failure::Fault`]: names come from Google or are made by Beadle, so a wrong one is a fault of ours.
pub(super) fn parts(kind: Kind, name: &str) -> Result<Vec<&str>, Failure> {
    let parts: Vec<&str> = name.split('/').collect();
    let collections = kind.collections();
    let fits = parts.len() == 2 * collections.len()
        && parts.chunks(2).zip(collections).all(|(pair, collection)| {
            matches!(pair, [found, id] if found == collection && may_be_an_id(id, *collection == "projects"))
        });
    if fits {
        Ok(parts)
    } else {
        let shown = super::failure::shortened(name);
        Err(Failure::Fault(Error::Internal(format!("{shown:?} is not the name of a {kind:?} at Google"))))
    }
}

/// Old projects' ids hold a colon; elsewhere it would begin the name of a method.
fn may_be_an_id(id: &str, colon: bool) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~+=".contains(&byte) || (colon && byte == b':');
    (1..=512).contains(&id.len()) && id.bytes().all(plain) && id != "." && id != ".."
}

/// The address of a resource: version 1 of the API at `base`, the parts of its name, a method if one is called on it.
pub(super) fn address(base: &Url, parts: &[&str], method: Option<&str>) -> Result<Url, Failure> {
    let mut url = base.clone();
    {
        let Ok(mut path) = url.path_segments_mut() else {
            return Err(Failure::Fault(Error::internal("the address of Google's API has no path")));
        };
        path.pop_if_empty().push("v1");
        if let Some((last, before)) = parts.split_last() {
            path.extend(before);
            match method {
                Some(method) => path.push(&format!("{last}:{method}")),
                None => path.push(last),
            };
        }
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_of_one_kind_only() {
        assert!(parts(Kind::Device, "enterprises/LC01/devices/3a5f").is_ok());
        assert!(parts(Kind::Topic, "projects/example.com:beadle/topics/beadle").is_ok());
        for wrong in [
            "enterprises/LC01",
            "enterprises/LC01/",
            "enterprises/LC01/devices",
            "enterprises/LC01/devices/",
            "enterprises/LC01/devices/..",
            "enterprises/LC01/devices/.",
            "enterprises/LC01/devices/3a5f/operations/1",
            "enterprises/LC01/policies/3a5f",
            "enterprises/LC01/devices/3a5f:wipe",
            "enterprises/LC01/devices/3a5f?x=y",
            "enterprises/LC01/devices/3a%2f",
            "enterprises/LC01/devices/a b",
            "/enterprises/LC01/devices/3a5f",
            "",
        ] {
            assert!(matches!(parts(Kind::Device, wrong), Err(Failure::Fault(_))), "{wrong:?}");
        }
    }

    #[test]
    fn an_address_keeps_the_path_of_its_base() {
        let base = Url::parse("http://127.0.0.1:9/google/").expect("an address");
        let url = address(&base, &["enterprises", "LC01", "devices", "3a"], Some("issueCommand")).expect("one");
        assert_eq!(url.as_str(), "http://127.0.0.1:9/google/v1/enterprises/LC01/devices/3a:issueCommand");
        let plain = address(&Url::parse("https://a.example").expect("one"), &["signupUrls"], None).expect("one");
        assert_eq!(plain.as_str(), "https://a.example/v1/signupUrls");
    }

    proptest! {
        #[test]
        fn what_passes_stays_whole(name in "enterprises/[!-~]{0,12}/devices/[!-~]{0,12}") {
            if let Ok(parts) = parts(Kind::Device, &name) {
                let base = Url::parse("https://a.example").expect("one");
                let url = address(&base, &parts, None).expect("one");
                prop_assert_eq!(url.path(), format!("/v1/{name}"));
                prop_assert!(url.query().is_none() && url.fragment().is_none());
            }
        }
    }
}
