//! Says in plain words what is wrong with a message or profile, and where, so that a failing test reads like a diagnosis.

use std::fmt;

use super::table::Kind;

/// One thing Apple's schema does not allow.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// Where: keys joined by dots, places in arrays in brackets, as in `PayloadContent[1].maxInactivity`.
    /// Empty for the whole document.
    pub path: String,
    /// What is wrong there.
    pub problem: Problem,
}

impl Violation {
    pub(crate) fn new(path: impl Into<String>, problem: Problem) -> Self {
        Self { path: path.into(), problem }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            write!(formatter, "{}", self.problem)
        } else {
            write!(formatter, "{}: {}", self.path, self.problem)
        }
    }
}

/// What is wrong. Values are shown only where the schema lists or bounds them, so that no secret reaches a log.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Problem {
    /// Apple knows no such key here.
    UnknownKey,
    /// A required key is absent.
    MissingKey,
    /// The value is of another property-list type.
    WrongType {
        /// The type of the schema.
        expected: Kind,
        /// The type of the value.
        found: Kind,
    },
    /// A number outside its bounds (both inclusive).
    OutOfRange {
        /// The value.
        found: f64,
        /// Lower bound, if any.
        min: Option<f64>,
        /// Upper bound, if any.
        max: Option<f64>,
    },
    /// A value that is not in the schema's list of values.
    NotInRangeList {
        /// The value.
        found: String,
        /// The values allowed.
        allowed: Vec<String>,
    },
    /// A string that does not have the form asked for.
    WrongFormat {
        /// The form in words.
        expected: &'static str,
    },
    /// An array with too few or too many elements.
    WrongCount {
        /// How many there are.
        found: usize,
        /// At least so many.
        min: usize,
        /// At most so many.
        max: usize,
    },
    /// No payload of this type exists.
    UnknownPayloadType {
        /// The type asked for.
        payload_type: String,
    },
    /// No command of this name exists.
    UnknownRequestType {
        /// The name asked for.
        request_type: String,
    },
    /// No check-in message of this name exists.
    UnknownMessageType {
        /// The name found.
        message_type: String,
    },
    /// Exists for other systems of Apple, not for iOS and iPadOS.
    NotOnIos,
    /// Forbidden under User Enrolment; iOS then refuses the whole profile or command.
    Forbidden,
    /// Only possible under User Enrolment.
    UserEnrolmentOnly,
    /// Only possible on supervised devices.
    SupervisedOnly,
    /// Only possible on a Shared iPad.
    SharedIpadOnly,
    /// Cannot be installed by hand: it must come through MDM.
    MdmOnly,
    /// Newer than the device.
    TooNew {
        /// The version of iOS that brought it.
        introduced: (u32, u32),
    },
    /// Gone from the device's version of iOS.
    Removed {
        /// The version of iOS that removed it.
        removed: (u32, u32),
    },
    /// The enrolment does not hold the access rights needed.
    MissingAccessRight {
        /// The missing bits of `AccessRights`.
        missing: u32,
    },
    /// More than one payload of a type that may appear once.
    TooMany {
        /// The payload type.
        payload_type: String,
    },
    /// An identifier used twice in one profile.
    NotUnique,
    /// A reference to no payload of this profile, or to one of an unsuitable type.
    WrongReference {
        /// What it should refer to.
        wanted: &'static str,
    },
    /// A rule of Apple's documentation that the schema's form cannot express.
    Inconsistent {
        /// The rule, in words.
        rule: &'static str,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey => write!(formatter, "Apple knows no such key here"),
            Self::MissingKey => write!(formatter, "required, but missing"),
            Self::WrongType { expected, found } => {
                write!(formatter, "should be {expected}, is {found}")
            }
            Self::OutOfRange { found, min, max } => {
                write!(formatter, "{found} is out of range (")?;
                match (min, max) {
                    (Some(min), Some(max)) => write!(formatter, "{min} to {max}")?,
                    (Some(min), None) => write!(formatter, "at least {min}")?,
                    (None, Some(max)) => write!(formatter, "at most {max}")?,
                    (None, None) => write!(formatter, "no bounds")?,
                }
                write!(formatter, ")")
            }
            Self::NotInRangeList { found, allowed } => {
                write!(formatter, "{found:?} is not one of {}", allowed.join(", "))
            }
            Self::WrongFormat { expected } => write!(formatter, "should be {expected}"),
            Self::WrongCount { found, min, max } if min == max => {
                write!(formatter, "has {found} elements, should have {min}")
            }
            Self::WrongCount { found, min, max } => {
                write!(formatter, "has {found} elements, should have {min} to {max}")
            }
            Self::UnknownPayloadType { payload_type } => {
                write!(formatter, "Apple knows no payload type {payload_type:?}")
            }
            Self::UnknownRequestType { request_type } => {
                write!(formatter, "Apple knows no command {request_type:?}")
            }
            Self::UnknownMessageType { message_type } => {
                write!(formatter, "Apple knows no check-in message {message_type:?}")
            }
            Self::NotOnIos => write!(formatter, "not for iOS"),
            Self::Forbidden => write!(formatter, "forbidden under User Enrolment"),
            Self::UserEnrolmentOnly => write!(formatter, "only for User Enrolment"),
            Self::SupervisedOnly => write!(formatter, "only for supervised devices"),
            Self::SharedIpadOnly => write!(formatter, "only for a Shared iPad"),
            Self::MdmOnly => write!(formatter, "cannot be installed by hand, only through MDM"),
            Self::TooNew { introduced: (major, minor) } => write!(formatter, "needs iOS {major}.{minor}"),
            Self::Removed { removed: (major, minor) } => write!(formatter, "removed in iOS {major}.{minor}"),
            Self::MissingAccessRight { missing } => {
                write!(formatter, "the enrolment lacks access rights {missing}")
            }
            Self::TooMany { payload_type } => {
                write!(formatter, "only one payload {payload_type} is allowed")
            }
            Self::NotUnique => write!(formatter, "used more than once in this profile"),
            Self::WrongReference { wanted } => {
                write!(formatter, "should be the PayloadUUID of {wanted} in this profile")
            }
            Self::Inconsistent { rule } => write!(formatter, "{rule}"),
        }
    }
}
