//! Compares a property list with the table, key by key, so that payloads, commands and messages share one reading of the schema.

use plist::{Dictionary, Value};

use super::{
    Source,
    table::{Availability, Entry, Keys, Kind, Node, Scalar, UserEnrolment, Version, is_any_key},
    violation::{Problem, Violation},
};

/// What is known of the device; what is not known is not held against a message.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct View {
    pub(crate) user_enrolment: Option<bool>,
    pub(crate) supervised: Option<bool>,
    pub(crate) ios: Option<Version>,
    pub(crate) source: Option<Source>,
    pub(crate) rights: Option<u32>,
}

/// One comparison under way.
pub(crate) struct Walk<'table> {
    view: View,
    shared: &'table Keys,
    pub(crate) found: Vec<Violation>,
}

impl<'table> Walk<'table> {
    pub(crate) fn new(view: View, entry: &'table Entry) -> Self {
        Self { view, shared: &entry.shared, found: Vec::new() }
    }

    pub(crate) fn report(&mut self, path: &str, problem: Problem) {
        self.found.push(Violation::new(path, problem));
    }

    /// Checks a dictionary against all of `sources`, the first that knows a key deciding.
    pub(crate) fn dictionary(&mut self, path: &str, sources: &[&'table Keys], dictionary: &Dictionary) {
        for (name, value) in dictionary {
            let here = join(path, name);
            let exact = sources.iter().find_map(|keys| keys.get(name));
            let any = || {
                let mut all = sources.iter().flat_map(|keys| keys.iter());
                all.find(|(key, _)| is_any_key(key)).map(|(_, node)| node)
            };
            match exact.or_else(any) {
                Some(node) => self.node(&here, node, value),
                None => self.report(&here, Problem::UnknownKey),
            }
        }
        let expected = sources.iter().flat_map(|keys| keys.iter());
        for (name, node) in expected {
            if node.required && !is_any_key(name) && !dictionary.contains_key(name) && self.can_be_demanded(&node.os) {
                self.report(&join(path, name), Problem::MissingKey);
            }
        }
    }

    /// Checks one value.
    pub(crate) fn node(&mut self, path: &str, node: &'table Node, value: &Value) {
        if !self.available(path, &node.os) {
            return;
        }
        let found = Kind::of(value);
        match (node.kind, value) {
            (Kind::Any, _) => {}
            (Kind::Dictionary, Value::Dictionary(dictionary)) => {
                let keys = self.inside(node).map_or(&node.keys, |inside| &inside.keys);
                if !keys.is_empty() {
                    self.dictionary(path, &[keys], dictionary);
                }
            }
            (Kind::Array, Value::Array(elements)) => {
                let items = self.inside(node).map_or(&node.items, |inside| &inside.items);
                self.elements(path, items, elements);
            }
            (_, Value::Array(elements)) if node.or_list => {
                for (place, element) in elements.iter().enumerate() {
                    self.scalar(&format!("{path}[{place}]"), node, element);
                }
            }
            (expected, _) if expected == found => self.scalar(path, node, value),
            (Kind::Real, Value::Integer(_)) => self.scalar(path, node, value),
            (expected, _) => self.report(path, Problem::WrongType { expected, found }),
        }
    }

    fn inside(&self, node: &Node) -> Option<&'table Node> {
        node.like.as_ref().and_then(|name| self.shared.get(name))
    }

    fn elements(&mut self, path: &str, items: &'table Keys, elements: &[Value]) {
        if let Some((min, max)) = items.values().find_map(|item| item.repeat)
            && !(min..=max).contains(&elements.len())
        {
            let found = elements.len();
            self.report(path, Problem::WrongCount { found, min, max });
        }
        for (place, element) in elements.iter().enumerate() {
            let here = format!("{path}[{place}]");
            if let Some(item) = self.choose(&here, items, element) {
                self.node(&here, item, element);
            }
        }
    }

    /// The form an element must have. Where there are several (the settings of the Settings command), each says so
    /// itself, in a required key with one allowed value.
    fn choose(&mut self, path: &str, items: &'table Keys, element: &Value) -> Option<&'table Node> {
        if items.len() < 2 {
            return items.values().next();
        }
        let Value::Dictionary(dictionary) = element else {
            let found = Kind::of(element);
            self.report(path, Problem::WrongType { expected: Kind::Dictionary, found });
            return None;
        };
        let mark = |item: &'table Node| {
            let one = |(_, node): &(&String, &Node)| node.required && node.values.len() == 1;
            item.keys.iter().find(one)
        };
        let mut allowed = Vec::new();
        let mut key = None;
        for item in items.values() {
            let Some((name, node)) = mark(item) else {
                continue;
            };
            if let Some(value) = dictionary.get(name)
                && node.values.iter().any(|scalar| equals(scalar, value))
            {
                return Some(item);
            }
            key = Some(name);
            allowed.extend(node.values.iter().map(ToString::to_string));
        }
        let name = key?;
        let problem = match dictionary.get(name) {
            None => Problem::MissingKey,
            Some(value) => Problem::NotInRangeList { found: shown(value), allowed },
        };
        self.report(&join(path, name), problem);
        None
    }

    fn scalar(&mut self, path: &str, node: &'table Node, value: &Value) {
        if Kind::of(value) != node.kind && !(node.kind == Kind::Real && matches!(value, Value::Integer(_))) {
            let (expected, found) = (node.kind, Kind::of(value));
            return self.report(path, Problem::WrongType { expected, found });
        }
        if !node.values.is_empty() && !node.values.iter().any(|scalar| equals(scalar, value)) {
            let allowed = node.values.iter().map(ToString::to_string).collect();
            self.report(path, Problem::NotInRangeList { found: shown(value), allowed });
        }
        if let Some(found) = number(value) {
            let (min, max) = (node.min, node.max);
            let inside = min.is_none_or(|min| found >= min) && max.is_none_or(|max| found <= max);
            if !inside {
                self.report(path, Problem::OutOfRange { found, min, max });
            }
        }
        if let Value::String(text) = value {
            if let Some(format) = node.format
                && !format.fits(text)
            {
                self.report(path, Problem::WrongFormat { expected: format.words() });
            }
            if !node.choices.is_empty() {
                match node.choices.get(text) {
                    Some(choice) => {
                        self.available(path, choice);
                    }
                    None => {
                        let allowed = node.choices.keys().cloned().collect();
                        self.report(path, Problem::NotInRangeList { found: text.clone(), allowed });
                    }
                }
            }
        }
    }

    /// Reports why the device would not take it; false if its inside is not worth looking at.
    pub(crate) fn available(&mut self, path: &str, os: &Availability) -> bool {
        if os.not_on_ios {
            self.report(path, Problem::NotOnIos);
            return false;
        }
        if let Some(ios) = self.view.ios {
            if let Some(introduced) = os.introduced.filter(|introduced| ios < *introduced) {
                self.report(path, Problem::TooNew { introduced });
            }
            if let Some(removed) = os.removed.filter(|removed| ios >= *removed) {
                self.report(path, Problem::Removed { removed });
            }
        }
        match (os.user_enrolment, self.view.user_enrolment) {
            (Some(UserEnrolment::Forbidden), Some(true)) => self.report(path, Problem::Forbidden),
            (Some(UserEnrolment::Only), Some(false)) => self.report(path, Problem::UserEnrolmentOnly),
            _ => {}
        }
        if os.supervised && self.view.supervised == Some(false) {
            self.report(path, Problem::SupervisedOnly);
        }
        // Whether a device is a Shared iPad is never known here; where anything at all is known of it, it is a phone or a plain iPad.
        if os.shared_ipad_only && self.view.ios.is_some() {
            self.report(path, Problem::SharedIpadOnly);
        }
        if os.mdm_only && self.view.source == Some(Source::Manual) {
            self.report(path, Problem::MdmOnly);
        }
        // A device under User Enrolment ignores AccessRights.
        if let Some(rights) = self.view.rights.filter(|_| self.view.user_enrolment != Some(true)) {
            let missing = os.rights & !rights;
            if missing != 0 {
                self.report(path, Problem::MissingAccessRight { missing });
            }
        }
        true
    }

    /// Whether a required key may be missed: only where it certainly applies.
    fn can_be_demanded(&self, os: &Availability) -> bool {
        let View { user_enrolment, supervised, ios, .. } = self.view;
        let old_enough = match (os.introduced, ios) {
            (Some(introduced), Some(ios)) => ios >= introduced,
            // Without a version, what belongs to the kind of enrolment itself (EnrollmentID) is still asked for.
            (Some(_), None) => os.user_enrolment == Some(UserEnrolment::Only),
            (None, _) => true,
        };
        let not_removed = match (os.removed, ios) {
            (Some(removed), Some(ios)) => ios < removed,
            (Some(_), None) => false,
            (None, _) => true,
        };
        let right_enrolment = match os.user_enrolment {
            Some(UserEnrolment::Forbidden) => user_enrolment == Some(false),
            Some(UserEnrolment::Only) => user_enrolment == Some(true),
            None => true,
        };
        let right_supervision = !os.supervised || supervised == Some(true);
        let rights_known = os.rights == 0 || self.view.rights.is_some_and(|rights| os.rights & !rights == 0);
        !os.not_on_ios
            && !os.shared_ipad_only
            && old_enough
            && not_removed
            && right_enrolment
            && right_supervision
            && rights_known
    }
}

pub(crate) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Real(number) => Some(*number),
        Value::Integer(number) => number
            .as_signed()
            .map(|signed| signed as f64)
            .or_else(|| number.as_unsigned().map(|unsigned| unsigned as f64)),
        _ => None,
    }
}

fn equals(scalar: &Scalar, value: &Value) -> bool {
    match (scalar, value) {
        (Scalar::Text(text), Value::String(string)) => text == string,
        (Scalar::Integer(number), Value::Integer(integer)) => integer.as_signed() == Some(*number),
        (Scalar::Integer(_) | Scalar::Real(_), _) => {
            let Some(found) = number(value) else {
                return false;
            };
            scalar.to_string().parse() == Ok(found)
        }
        _ => false,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Boolean(truth) => truth.to_string(),
        other => number(other).map_or_else(|| Kind::of(other).to_string(), |number| number.to_string()),
    }
}
