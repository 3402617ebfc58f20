//! A signature drawn at the hand-over, as SVG.
//!
//! Must never let anything through but drawn lines: it is shown in other people's browsers.

use quenty_kernel::Invalid;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

const MAX_BYTES: usize = 20_000;
/// Elements that can draw a line and nothing else.
const ELEMENTS: [&str; 6] = ["svg", "g", "path", "polyline", "line", "circle"];
/// Ways in which those could still carry a script or fetch something; a backslash writes any of them in CSS.
const FORBIDDEN: [&str; 10] =
    ["<!", "<?", "&", "\\", "href", "url(", "src(", "image", "javascript:", "style"];

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(
    value_type = String,
    max_length = 20_000,
    example = r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 80"><path d="M10 40 L190 42"/></svg>"#
)]
pub(crate) struct Signature(String);

impl Signature {
    /// Stands where one was erased.
    pub(crate) const BLANK: &'static str = "<svg></svg>";

    /// What was kept before a rule was made that refuses it shows nothing.
    fn kept(text: String) -> Self {
        Self::try_from(text).unwrap_or_else(|_| Self(Self::BLANK.to_owned()))
    }
}

/// A signature in a fact.
pub(crate) fn kept<'de, D: Deserializer<'de>>(stored: D) -> Result<Signature, D::Error> {
    String::deserialize(stored).map(Signature::kept)
}

/// A signature in a row.
pub(crate) fn kept_if_any<'de, D: Deserializer<'de>>(stored: D) -> Result<Option<Signature>, D::Error> {
    Ok(Option::<String>::deserialize(stored)?.map(Signature::kept))
}

impl TryFrom<String> for Signature {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let text = text.trim();
        let refuse = |why: &str| Err(Invalid::new("signature_svg", why));
        // Of the control characters XML knows these three; the others are none, and NUL cannot be stored.
        if text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
            return refuse("must not hold control characters");
        }
        if text.len() > MAX_BYTES {
            return refuse("must be at most 20,000 bytes: simplify its lines");
        }
        if !text.starts_with("<svg") || !text.ends_with("</svg>") {
            return refuse("must be one <svg> element");
        }
        let lower = text.to_ascii_lowercase();
        if !lower.split('<').skip(1).all(draws_lines) || FORBIDDEN.iter().any(|word| lower.contains(word)) {
            return refuse(
                "may only hold svg, g, path, polyline, line and circle, without links, styles or scripts",
            );
        }
        Ok(Self(text.to_owned()))
    }
}

/// Whether what follows a `<` is an element that draws, without event handlers. Its name ends where browsers say: a prefix
/// belongs to it.
fn draws_lines(tag: &str) -> bool {
    let ends_name = |c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>');
    let name = tag.strip_prefix('/').unwrap_or(tag).split(ends_name).next().unwrap_or_default();
    let attributes = tag.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '/'));
    ELEMENTS.contains(&name) && !attributes.skip(1).any(|attribute| attribute.starts_with("on"))
}

impl From<Signature> for String {
    fn from(signature: Signature) -> String {
        signature.0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn only_drawn_lines_pass() {
        let good =
            r#"<svg xmlns="http://www.w3.org/2000/svg"><g><path d="M1 1 L2 2" stroke="black"/></g></svg>"#;
        assert!(Signature::try_from(good.to_owned()).is_ok());
        for bad in [
            "",
            "<p></p>",
            "<svg><script>alert(1)</script></svg>",
            "<svg onload=\"alert(1)\"></svg>",
            "<svg><path/onclick='x'/></svg>",
            "<svg><a href=\"https://example.com\"></a></svg>",
            "<svg><image/></svg>",
            "<svg><foreignObject></foreignObject></svg>",
            "<!DOCTYPE svg><svg></svg>",
            "<svg>&x;</svg>",
            "<svg>\0</svg>",
            "<svg><path d='M1 1\u{1b}'/></svg>",
            "<svg><path style=\"fill:url(x)\"/></svg>",
            r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:svg="http://www.w3.org/2000/svg"><svg:script>alert(1)</svg:script></svg>"#,
            "<svg><g:foreignObject></g:foreignObject></svg>",
            "<svg><g\u{a0}script></g></svg>",
            "<svg><//g></svg>",
            "<svg><!-- --></svg>",
            "<svg><![CDATA[<script>]]></svg>",
            "<svg><?xml-stylesheet type='text/css'?></svg>",
            r"<svg><path fill='\75 rl(https://example.com/x)'/></svg>",
            "<svg><path mask=\"image-set('https://example.com/x' 1x)\"/></svg>",
            "<svg><path filter=\"src('https://example.com/x')\"/></svg>",
        ] {
            assert!(Signature::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        let long = format!("<svg>{}</svg>", " ".repeat(20_000));
        assert!(Signature::try_from(long).is_err());
    }

    #[test]
    fn what_was_kept_and_would_be_refused_now_shows_nothing() {
        let (drawn, bad) = ("<svg><path d='M1 1'/></svg>", "<svg><g:script></g:script></svg>");
        for (text, shown) in [(drawn, drawn), (bad, Signature::BLANK)] {
            assert_eq!(kept(Value::from(text)).unwrap().0, shown);
            assert_eq!(kept_if_any(Value::from(text)).unwrap().unwrap().0, shown);
        }
        assert_eq!(kept_if_any(Value::Null).unwrap(), None);
    }
}
