//! How people are named, reached and spoken to: e-mail, phone, names, language, time zone.
//!
//! Must never decide whether an address or a number works: only sending to it tells.

use std::str::FromStr;

use jiff::tz::TimeZone;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, Schema, Type},
    },
};

use crate::invalid::{Invalid, line_of_text, string_value};

const MAX_NAME: usize = 120;
/// Stands in place of a text that a person asked to have erased.
pub const ERASED: &str = "erased";

/// An e-mail address, in the case that its owner writes. Practical rather than all of RFC 5321:
/// no quoted local parts, no comments, no bare host names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, ToSchema)]
#[schema(value_type = String, format = Email, max_length = 254, example = "ana.gomez@example.com")]
pub struct Email(String);

impl Email {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form to compare and to look up by.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.0.to_lowercase()
    }
}

impl FromStr for Email {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let refuse = |why| Err(Invalid::new("e-mail address", why));
        let text = text.trim();
        if text.len() > 254 {
            return refuse("must be at most 254 bytes long");
        }
        let Some((local, domain)) = text.split_once('@') else {
            return refuse("must contain an @, as in ana.gomez@example.com");
        };
        if domain.contains('@') {
            return refuse("must contain only one @");
        }
        // What RFC 5322 calls specials: in a header they would begin a second address or a comment.
        let is_special = |c: char| c.is_whitespace() || c.is_control() || "()<>[]:;,\\\"".contains(c);
        if text.contains(is_special) {
            return refuse("must not contain spaces, control characters or any of ()<>[]:;,\\\"");
        }
        if !(1..=64).contains(&local.len()) {
            return refuse("must have 1 to 64 bytes before the @");
        }
        if !domain.contains('.') || !domain.split('.').all(is_host_label) {
            return refuse("must have a domain with a dot after the @, as in example.com");
        }
        Ok(Self(text.to_owned()))
    }
}

string_value!(Email);

/// An [`Email`] as a request brings a new one: without those that no mailer sends to. What was taken in before is read
/// as an [`Email`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEmail(Email);

impl NewEmail {
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for NewEmail {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let email: Email = text.parse()?;
        // A dot-atom of RFC 5322, section 3.2.3. In the domain, labels are never empty.
        if email.as_str().split('@').any(|part| part.split('.').any(str::is_empty)) {
            let why = "must not begin or end with a dot before the @, nor have two in a row";
            return Err(Invalid::new("e-mail address", why));
        }
        Ok(Self(email))
    }
}

string_value!(NewEmail);

impl From<NewEmail> for Email {
    fn from(new: NewEmail) -> Self {
        new.0
    }
}

// By hand: in documents it is an e-mail address like any other.
impl PartialSchema for NewEmail {
    fn schema() -> RefOr<Schema> {
        Email::schema()
    }
}

impl ToSchema for NewEmail {
    fn name() -> std::borrow::Cow<'static, str> {
        Email::name()
    }
}

/// Letters of any script, digits and inner hyphens (RFC 1123, section 2.1, and IDNA).
fn is_host_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| c.is_alphanumeric() || c == '-')
}

/// A phone number in the international form of ITU-T E.164.
#[derive(Debug, Clone, PartialEq, Eq, Hash, ToSchema)]
#[schema(value_type = String, pattern = r"^\+[1-9][0-9]{7,14}$", example = "+573001234567")]
pub struct Phone(String);

impl Phone {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Phone {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        let digits = text.strip_prefix('+').unwrap_or_default();
        // No country calling code begins with 0.
        let is_valid = (8..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        if !is_valid {
            let why = "must be a + with country code and number, 8 to 15 digits, such as +573001234567";
            return Err(Invalid::new("phone", why));
        }
        Ok(Self(text.to_owned()))
    }
}

string_value!(Phone);

/// The name of a person, as that person writes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 120, example = "Ana Gómez")]
pub struct PersonName(String);

impl PersonName {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PersonName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        line_of_text("name", text, MAX_NAME).map(Self)
    }
}

string_value!(PersonName);

/// One line of 1 to `MAX` characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands where a person's name stood.
    #[must_use]
    pub fn erased() -> Self {
        Self(ERASED.to_owned())
    }
}

impl<const MAX: usize> FromStr for Text<MAX> {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        line_of_text("text", text, MAX).map(Self)
    }
}

string_value!(Text<MAX>, const MAX);

// By hand: the derive would give every length the same name and no limit.
impl<const MAX: usize> PartialSchema for Text<MAX> {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(MAX));
        text.description(Some("One line of text.")).examples(["Fragile"]).into()
    }
}

impl<const MAX: usize> ToSchema for Text<MAX> {
    fn name() -> std::borrow::Cow<'static, str> {
        format!("Text{MAX}").into()
    }
}

/// A language, if need be with script and region, as BCP 47 writes it; read in any case, kept in the usual one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, ToSchema)]
#[schema(value_type = String, pattern = "^[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?$", example = "es-CO")]
pub struct LanguageTag(String);

impl LanguageTag {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language alone: `es` of `es-CO`.
    #[must_use]
    pub fn language(&self) -> &str {
        self.0.split_once('-').map_or(self.as_str(), |(language, _)| language)
    }
}

impl FromStr for LanguageTag {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let tag = canonical_language_tag(text.trim());
        tag.map(Self)
            .ok_or_else(|| Invalid::new("language", "must be a BCP 47 tag such as es, es-CO or pt-BR"))
    }
}

string_value!(LanguageTag);

/// `language[-script][-region]` of RFC 5646 in the case of its section 2.1.1.
fn canonical_language_tag(text: &str) -> Option<String> {
    let is_alpha = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_digit = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = text.split('-').peekable();
    let language = parts.next().filter(|part| matches!(part.len(), 2 | 3) && is_alpha(part))?;
    let mut tag = language.to_ascii_lowercase();
    if let Some(script) = parts.next_if(|part| part.len() == 4 && is_alpha(part)) {
        tag.push('-');
        tag.push_str(&script[..1].to_ascii_uppercase());
        tag.push_str(&script[1..].to_ascii_lowercase());
    }
    let is_region = |part: &&str| (part.len() == 2 && is_alpha(part)) || (part.len() == 3 && is_digit(part));
    if let Some(region) = parts.next_if(is_region) {
        tag.push('-');
        tag.push_str(&region.to_ascii_uppercase());
    }
    parts.next().is_none().then_some(tag)
}

/// A time zone of the IANA database, in the database's own spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeZoneName {
    name: String,
    zone: TimeZone,
}

impl TimeZoneName {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The rules of the zone, for computing with local dates.
    #[must_use]
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }
}

impl FromStr for TimeZoneName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        // `Etc/Unknown` is a name that jiff knows, but says nothing.
        let zone = TimeZone::get(text.trim()).ok().filter(|zone| !zone.is_unknown());
        let named = zone.and_then(|zone| Some(Self { name: zone.iana_name()?.to_owned(), zone }));
        named.ok_or_else(|| Invalid::new("time zone", "must be an IANA name such as America/Bogota"))
    }
}

string_value!(TimeZoneName);

// By hand: a type with two fields cannot be derived as one string.
impl PartialSchema for TimeZoneName {
    fn schema() -> RefOr<Schema> {
        let zone = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[A-Za-z0-9_+/-]+$"));
        zone.description(Some("A time zone of the IANA database.")).examples(["America/Bogota"]).into()
    }
}

impl ToSchema for TimeZoneName {}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_valid<T: FromStr>(text: &str) -> bool {
        text.parse::<T>().is_ok()
    }

    #[test]
    fn an_email_keeps_its_case_and_is_compared_without() {
        let email: Email = " Ana.Gomez+Q@Example.COM ".parse().unwrap();
        assert_eq!(email.as_str(), "Ana.Gomez+Q@Example.COM");
        assert_eq!(email.canonical(), "ana.gomez+q@example.com");
        assert!(is_valid::<Email>("josé@correo.com.co") && is_valid::<Email>("a@ñandú.cl"));
    }

    #[test]
    fn what_cannot_be_an_email_is_refused() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long_total = format!("a@{}com", "abcdefghi.".repeat(25));
        for text in [
            "",
            "ana",
            "@example.com",
            "ana@",
            "ana@localhost",
            "ana@@example.com",
            "a@b@example.com",
            "a na@example.com",
            "ana@exa mple.com",
            "ana@example..com",
            "ana@.com",
            "ana@example.com.",
            "ana@-a.com",
            "ana\0@example.com",
            "ana@example.com,eva@example.com",
            "Ana <ana@example.com>",
            "ana@example.com\r\nBcc: eva@example.com",
            &long_local,
            &long_total,
        ] {
            assert!(!is_valid::<Email>(text), "{text:?}");
        }
    }

    #[test]
    fn a_new_email_is_one_that_mail_can_be_sent_to_and_an_old_one_is_still_read() {
        for text in [".ana@example.com", "ana.@example.com", "ana..gomez@example.com", ".@example.com"] {
            assert!(!is_valid::<NewEmail>(text) && is_valid::<Email>(text), "{text:?}");
        }
        assert!(!is_valid::<NewEmail>("ana") && is_valid::<NewEmail>("ana.gomez+q@correo.com.co"));
        let new: NewEmail = " Ana@Example.COM ".parse().unwrap();
        assert_eq!(Email::from(new).as_str(), "Ana@Example.COM");
        assert_eq!(NewEmail::name(), Email::name());
    }

    #[test]
    fn a_phone_is_e164() {
        assert_eq!(" +573001234567 ".parse::<Phone>().unwrap().as_str(), "+573001234567");
        for text in [
            "",
            "+",
            "573001234567",
            "+57 300 1234567",
            "+1234567",
            "+1234567890123456",
            "+0123456789",
            "+57300123456x",
            "++573001234567",
        ] {
            assert!(!is_valid::<Phone>(text), "{text}");
        }
    }

    #[test]
    fn names_and_texts_are_single_lines_with_a_limit() {
        assert_eq!(" Ana Gómez ".parse::<PersonName>().unwrap().as_str(), "Ana Gómez");
        assert!(!is_valid::<PersonName>("") && !is_valid::<PersonName>(&"a".repeat(121)));
        assert!(is_valid::<Text<3>>("abc") && !is_valid::<Text<3>>("abcd") && !is_valid::<Text<3>>("a\nb"));
    }

    #[test]
    fn language_tags_take_the_usual_case() {
        for (text, tag) in [
            ("es", "es"),
            ("ES-co", "es-CO"),
            ("pt-BR", "pt-BR"),
            ("zh-hANT-tw", "zh-Hant-TW"),
            ("es-419", "es-419"),
        ] {
            assert_eq!(text.parse::<LanguageTag>().unwrap().as_str(), tag);
        }
        assert_eq!("es-CO".parse::<LanguageTag>().unwrap().language(), "es");
        for text in ["", "e", "spanish", "es_CO", "es-", "-CO", "es-COL", "es-CO-x", "es-41", "ñu"] {
            assert!(!is_valid::<LanguageTag>(text), "{text}");
        }
    }

    #[test]
    fn a_time_zone_is_one_of_the_iana_database() {
        let zone: TimeZoneName = "america/bogota".parse().unwrap();
        assert_eq!(zone.as_str(), "America/Bogota");
        assert_eq!(zone.zone().iana_name(), Some("America/Bogota"));
        assert!(is_valid::<TimeZoneName>("UTC"));
        for text in ["", "Bogota", "-05:00", "Etc/Unknown", "../../etc/passwd", "America/Bogota\0"] {
            assert!(!is_valid::<TimeZoneName>(text), "{text:?}");
        }
    }

    #[test]
    fn each_is_a_plain_string_in_json_and_refused_with_its_reason() {
        fn reads_back<T: serde::de::DeserializeOwned + serde::Serialize>(json: &str) {
            assert_eq!(serde_json::to_string(&serde_json::from_str::<T>(json).unwrap()).unwrap(), json);
        }
        reads_back::<Email>(r#""ana@example.com""#);
        reads_back::<Phone>(r#""+573001234567""#);
        reads_back::<PersonName>(r#""Ana""#);
        reads_back::<Text<10>>(r#""Fragile""#);
        reads_back::<LanguageTag>(r#""es-CO""#);
        reads_back::<TimeZoneName>(r#""America/Bogota""#);
        let error = serde_json::from_str::<Email>(r#""ana""#).unwrap_err().to_string();
        assert!(error.starts_with("e-mail address: must contain an @"), "{error}");
    }

    #[test]
    fn each_length_of_text_has_its_own_schema() {
        assert_eq!(Text::<40>::name(), "Text40");
        assert_eq!(serde_json::to_value(Text::<40>::schema()).unwrap()["maxLength"], 40);
    }
}
