//! Shapes and readers that the resources of several services share.

use serde::{Deserialize, Deserializer};

/// In a patch: an absent field stays as it is, `null` empties it.
///
/// # Errors
/// As `T` reads.
pub fn nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// What a list is narrowed to, and its page: one struct, because two would each let the other's parameters pass,
/// and with them every misspelt one.
#[macro_export]
macro_rules! list_query {
    ($name:ident { $($(#[$meta:meta])* $field:ident: $type:ty),* $(,)? }) => {
        #[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
        #[serde(deny_unknown_fields)]
        #[into_params(parameter_in = Query)]
        pub(super) struct $name {
            $($(#[$meta])* $field: $type,)*
            /// Items a page, 1 to 100.
            #[serde(default)]
            #[param(inline, required = false)]
            limit: quenty_kernel::page::Limit,
            /// `next_cursor` of the page before.
            #[param(value_type = Option<String>)]
            cursor: Option<quenty_kernel::page::Cursor>,
        }

        impl $name {
            fn page(&self) -> quenty_kernel::PageQuery {
                quenty_kernel::PageQuery { limit: self.limit, cursor: self.cursor }
            }
        }
    };
}
