//! The documents that Quenty knows. They are code, not rows: a rule comes with its check digit.

use quenty_kernel::{Failure, Page, country::CountryCode};
use quenty_platform::{
    Result,
    http::{AnyToken, Json, Path, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::domain::document_type::{self, DocumentType};

/// An identity or tax document.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DocumentTypeOut {
    #[schema(example = "NIT")]
    code: &'static str,
    /// Who issues it; null for a document that every country issues.
    #[schema(example = "CO")]
    country: Option<&'static str>,
    #[schema(example = "Número de Identificación Tributaria")]
    name: &'static str,
    /// Whether a natural person may hold it.
    for_persons: bool,
    /// Whether a company may hold it.
    for_companies: bool,
    /// A number that passes.
    #[schema(example = "860.034.313-7")]
    example: &'static str,
}

impl From<&'static DocumentType> for DocumentTypeOut {
    fn from(known: &'static DocumentType) -> Self {
        Self {
            code: known.code,
            country: known.country,
            name: known.name,
            for_persons: known.holder.includes_person(),
            for_companies: known.holder.includes_company(),
            example: known.example,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CountryFilter {
    /// Only those that this country issues or every country does.
    country: Option<CountryCode>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct IssuerQuery {
    /// Who issued it: the same code means another document in another country.
    country: CountryCode,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NumberIn {
    #[schema(example = "860034313-7")]
    number: String,
}

/// Whether a number can be of its type; not whether it was ever issued.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ValidationOut {
    valid: bool,
    /// Without separators, as it is kept and compared.
    normalised: Option<String>,
    /// As its authority prints it.
    display: Option<String>,
    /// What is wrong with it.
    reason: Option<String>,
}

/// List the document types.
#[utoipa::path(get, path = "/api/v1/document-types", operation_id = "list_document_types", tag = "document types",
    params(CountryFilter), security(("bearer" = [])), responses((status = 200, body = Page<DocumentTypeOut>)))]
pub(super) async fn list_document_types(
    _caller: AnyToken,
    Query(filter): Query<CountryFilter>,
) -> Json<Page<DocumentTypeOut>> {
    let issues = |known: &&DocumentType| {
        filter.country.is_none_or(|country| known.country.is_none_or(|issuer| issuer == country.as_str()))
    };
    let items = document_type::all().iter().filter(issues).map(DocumentTypeOut::from).collect();
    Json(Page { items, next_cursor: None })
}

/// Check a document number by the rules of its type.
#[utoipa::path(post, path = "/api/v1/document-types/{code}/validate", operation_id = "validate_document_number", tag = "document types",
    params(("code" = String, Path, example = "NIT"), IssuerQuery), request_body = NumberIn, security(("bearer" = [])),
    responses((status = 200, body = ValidationOut)))]
pub(super) async fn validate_document_number(
    _caller: AnyToken,
    Path(code): Path<String>,
    Query(IssuerQuery { country }): Query<IssuerQuery>,
    Json(input): Json<NumberIn>,
) -> Result<Json<ValidationOut>> {
    let known = document_type::find(country.as_str(), &code)
        .ok_or_else(|| Failure::not_found("document type in this country"))?;
    Ok(Json(match known.validate(&input.number) {
        Ok(number) => ValidationOut {
            valid: true,
            normalised: Some(number.as_str().to_owned()),
            display: Some(number.display().to_owned()),
            reason: None,
        },
        Err(why) => {
            ValidationOut { valid: false, normalised: None, display: None, reason: Some(why.to_string()) }
        }
    }))
}
