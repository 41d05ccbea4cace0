//! One spelling for the names that the API, the command line and the database share.

/// A word that names none of the known values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{given}\" is not a known {kind}; it can be: {known}")]
pub struct UnknownName {
    /// What was being read, in plain words ("management mode").
    pub kind: &'static str,
    /// What was given.
    pub given: String,
    /// The accepted words, separated by commas.
    pub known: String,
}

/// Defines an enum whose variants have one stable name, used by serde, `as_str` and `FromStr` alike.
macro_rules! named_enum {
    ($(#[$meta:meta])* $name:ident, $kind:literal { $($(#[$variant_meta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $text)] $variant),+
        }

        impl $name {
            /// Every value, in a fixed order.
            pub const fn all() -> &'static [Self] {
                &[$(Self::$variant),+]
            }

            /// The stable name, as in JSON and in the database.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::named::UnknownName;

            fn from_str(given: &str) -> Result<Self, Self::Err> {
                Self::all().iter().copied().find(|value| value.as_str() == given).ok_or_else(|| {
                    let known: Vec<&str> = Self::all().iter().map(|value| value.as_str()).collect();
                    crate::named::UnknownName { kind: $kind, given: given.to_owned(), known: known.join(", ") }
                })
            }
        }
    };
}

pub(crate) use named_enum;
