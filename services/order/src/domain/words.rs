//! Words of the API and of rows: an enum, its one spelling, and the way back.

/// Declares an enum with the spelling of each variant. The spellings are bare tokens, or the derived
/// schema would not see them through the macro.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident, $what:literal { $($variant:ident = $text:tt),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        pub enum $name { $(#[serde(rename = $text)] $variant),+ }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = quenty_kernel::Invalid;
            fn from_str(text: &str) -> Result<Self, quenty_kernel::Invalid> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text)
                    .ok_or_else(|| quenty_kernel::Invalid::new($what, concat!("must be one of", $(" ", $text),+)))
            }
        }
    };
}
pub(crate) use words;
