//! The shape of a body: which fields it has and of which type they are, from the service's own OpenAPI document.

use std::{collections::BTreeSet, sync::OnceLock};

use jsonschema::{ValidationError, Validator, error::ValidationErrorKind};
use quenty_kernel::FieldError;
use serde_json::{Map, Value, json};

use super::are_enough;
use crate::upstream::Description;

pub(super) const JSON: &str = "application/json";
const SCHEMAS: &str = "#/components/schemas/";
/// Of what is longer only the first thing that does not fit is looked for: all are found before one can be told.
const LOOKED_THROUGH: usize = 8 * 1024;

/// The schema of an operation's body, compiled when the first body comes.
#[derive(Debug)]
pub(crate) struct Schema {
    description: Description,
    /// Where in the description it stands (RFC 6901).
    pointer: String,
    compiled: OnceLock<Option<Validator>>,
}

impl Schema {
    pub(super) fn of_body(description: &Description, template: &str, method: &str) -> Self {
        let pointer = format!(
            "/paths{}/{}/requestBody/content{}/schema",
            step(template),
            method.to_ascii_lowercase(),
            step(JSON)
        );
        Self { description: Description::clone(description), pointer, compiled: OnceLock::new() }
    }

    /// What does not fit of a body of so many bytes, field by field, in the form of the services' own problems. Never
    /// repeats a value.
    pub(super) fn errors(&self, body: &Value, bytes: usize) -> Vec<FieldError> {
        let mut told = Vec::new();
        let Some(validator) = self.compiled.get_or_init(|| self.compile()) else { return told };
        if bytes > LOOKED_THROUGH {
            if let Err(first) = validator.validate(body) {
                tell(&first, &mut told);
            }
        } else {
            for error in validator.iter_errors(body) {
                tell(&error, &mut told);
            }
        }
        told
    }

    /// A description that cannot be compiled lets everything pass: its service still checks.
    fn compile(&self) -> Option<Validator> {
        let schema = self.description.pointer(&self.pointer)?;
        let components = self.description["components"]["schemas"].as_object();
        jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .build(&closed(schema, components))
            .inspect_err(
                |error| tracing::error!(%error, pointer = self.pointer, "a schema cannot be compiled"),
            )
            .ok()
    }
}

/// A schema with all that it refers to, each reduced to its shape.
fn closed(schema: &Value, components: Option<&Map<String, Value>>) -> Value {
    let mut wanted = BTreeSet::new();
    let mut whole = shape(schema, &mut wanted);
    let mut definitions = Map::new();
    while let Some(name) = wanted.pop_first() {
        if definitions.contains_key(&name) {
            continue;
        }
        let component = components.and_then(|all| all.get(&name)).unwrap_or(&Value::Bool(true));
        definitions.insert(name, shape(component, &mut wanted));
    }
    if let Some(object) = whole.as_object_mut() {
        object.insert("$defs".to_owned(), definitions.into());
    }
    whole
}

/// What a schema says of types and fields. Alternatives need not exclude each other: serde takes the first that fits.
fn shape(schema: &Value, wanted: &mut BTreeSet<String>) -> Value {
    let Some(object) = schema.as_object() else { return schema.clone() };
    let mut kept = Map::new();
    for (keyword, value) in object {
        match (keyword.as_str(), value) {
            ("type" | "required" | "enum" | "const", _) => {
                kept.insert(keyword.clone(), value.clone());
            }
            ("$ref", Value::String(reference)) => {
                if let Some(name) = reference.strip_prefix(SCHEMAS) {
                    wanted.insert(name.to_owned());
                    kept.insert(keyword.clone(), json!(format!("#/$defs/{name}")));
                }
            }
            ("items" | "additionalProperties", _) => {
                kept.insert(keyword.clone(), shape(value, wanted));
            }
            ("properties", Value::Object(fields)) => {
                let fields: Map<String, Value> =
                    fields.iter().map(|(name, field)| (name.clone(), shape(field, wanted))).collect();
                kept.insert(keyword.clone(), fields.into());
            }
            ("allOf", Value::Array(parts)) => {
                let parts = parts.iter().map(|part| shape(part, wanted)).filter(|part| !is_remark(part));
                kept.insert(keyword.clone(), parts.collect());
            }
            ("oneOf" | "anyOf", Value::Array(alternatives)) => {
                // Of a real alternative all that does not fit is found, however much it is; here the first thing may do.
                if let [null, one] = &alternatives[..]
                    && *null == json!({"type": "null"})
                {
                    kept.insert("if".to_owned(), null.clone());
                    kept.insert("else".to_owned(), shape(one, wanted));
                } else {
                    let alternatives = alternatives.iter().map(|one| shape(one, wanted)).collect();
                    kept.insert("anyOf".to_owned(), alternatives);
                }
            }
            _ => {}
        }
    }
    kept.into()
}

/// utoipa says what it has to say of a field beside the field's type, as an object without fields.
fn is_remark(shape: &Value) -> bool {
    shape.as_object().is_some_and(|said| said.keys().eq(["type"])) && shape["type"] == "object"
}

fn tell(error: &ValidationError<'_>, told: &mut Vec<FieldError>) {
    let pointer = error.instance_path().as_str();
    let mut add = |pointer: String, code, detail: String| {
        if !are_enough(told.iter().map(|error| &error.pointer)) {
            told.push(FieldError { pointer, code, detail });
        }
    };
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            for name in unexpected {
                let detail = "this operation has no such field".to_owned();
                add(format!("{pointer}{}", step(name)), "UNKNOWN_FIELD", detail);
            }
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            add(pointer.to_owned(), "INVALID_FIELD", format!("missing field `{name}`"));
        }
        // What was meant is the alternative of which most fits.
        ValidationErrorKind::AnyOf { context } => {
            let depth = |errors: &&Vec<ValidationError<'_>>| {
                errors.iter().map(|error| error.instance_path().as_str().len()).max()
            };
            match context.iter().max_by_key(depth) {
                Some(meant) if !meant.is_empty() => meant.iter().for_each(|error| tell(error, told)),
                _ => add(pointer.to_owned(), "INVALID_FIELD", error.masked().to_string()),
            }
        }
        _ => add(pointer.to_owned(), "INVALID_FIELD", error.masked().to_string()),
    }
}

/// One step of a JSON pointer (RFC 6901).
pub(super) fn step(key: &str) -> String {
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn schema() -> Schema {
        let description = json!({
            "paths": {"/api/v1/orders/{id}": {"post": {"requestBody": {"content": {JSON: {"schema": {"$ref": "#/components/schemas/Order"}}}}}}},
            "components": {"schemas": {
                "Order": {
                    "type": "object", "required": ["lines"], "additionalProperties": false,
                    "properties": {
                        "lines": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Line"}},
                        "kind": {"oneOf": [{"type": "null"}, {"type": "string", "enum": ["standard", "express"]}]},
                        "to": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Line"}]},
                        "pattern": {"type": "string", "pattern": "^x$", "maxLength": 1},
                        "method": {"allOf": [{"type": "string", "enum": ["cash"]}, {"type": "object", "description": "How."}]},
                    },
                },
                "Line": {
                    "type": "object", "required": ["quantity"], "additionalProperties": false,
                    "properties": {"quantity": {"type": "integer", "minimum": 1}, "a/b~c": {"type": "string"}},
                },
            }},
        });
        Schema::of_body(&Arc::new(description), "/api/v1/orders/{id}", "POST")
    }

    fn found(body: &Value) -> Vec<(String, &'static str)> {
        let mut found: Vec<_> =
            schema().errors(body, 1).into_iter().map(|error| (error.pointer, error.code)).collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn a_field_that_does_not_fit_is_named_by_its_pointer() {
        let bad = |pointer: &str, code| vec![(pointer.to_owned(), code)];
        assert_eq!(found(&json!([])), bad("", "INVALID_FIELD"));
        assert_eq!(found(&json!({})), bad("", "INVALID_FIELD"));
        assert_eq!(found(&json!({"lines": {}})), bad("/lines", "INVALID_FIELD"));
        assert_eq!(found(&json!({"lines": [{"quantity": "1"}]})), bad("/lines/0/quantity", "INVALID_FIELD"));
        assert_eq!(found(&json!({"lines": [], "x/y": 1})), bad("/x~1y", "UNKNOWN_FIELD"));
        assert_eq!(found(&json!({"lines": [], "kind": "slow"})), bad("/kind", "INVALID_FIELD"));
        assert_eq!(found(&json!({"lines": [], "method": "barter"})), bad("/method", "INVALID_FIELD"));
        assert_eq!(
            found(&json!({"lines": [], "to": {"quantity": 1, "x": 1}})),
            bad("/to/x", "UNKNOWN_FIELD")
        );
        assert_eq!(
            found(&json!({"lines": [{"quantity": 1, "a/b~c": 1}]})),
            bad("/lines/0/a~1b~0c", "INVALID_FIELD")
        );
    }

    #[test]
    fn values_are_the_services_matter_and_are_never_repeated() {
        assert_eq!(found(&json!({"lines": [], "pattern": " long ", "kind": null})), []);
        assert_eq!(found(&json!({"lines": [{"quantity": 0}]})), []);
        assert_eq!(found(&json!({"lines": [], "method": "cash"})), []);
        let told = schema().errors(&json!({"lines": "secret", "kind": "secret", "to": "secret"}), 1);
        assert_eq!(told.len(), 3);
        assert!(told.iter().all(|error| !error.detail.contains("secret")), "{told:?}");
    }

    #[test]
    fn of_a_body_that_does_not_fit_anywhere_a_few_fields_are_named_and_of_a_long_one_the_first() {
        let many: Vec<Value> = (0..100_000).map(|_| json!({"x": 1})).collect();
        let body = json!({"lines": many, "to": {"quantity": many}});
        assert_eq!(schema().errors(&body, 1 << 20).len(), 1);
        assert_eq!(schema().errors(&json!({"lines": [], "more": many}), 1 << 20).len(), 1);
        let few = json!({"lines": many[..100]});
        assert_eq!(schema().errors(&few, LOOKED_THROUGH).len(), 50);
        // Names are as long as clients like.
        let long = (0..100).map(|number| (format!("{number}{}", "x".repeat(1000)), json!(1)));
        let unknown: Map<String, Value> = long.chain([("quantity".to_owned(), json!(1))]).collect();
        assert_eq!(schema().errors(&json!({"lines": [unknown]}), LOOKED_THROUGH).len(), 5);
    }

    #[test]
    fn a_schema_that_refers_to_itself_is_compiled() {
        let node = json!({"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}}});
        let schema = closed(&json!({"$ref": "#/components/schemas/Node"}), json!({"Node": node}).as_object());
        let validator = jsonschema::options().build(&schema).unwrap();
        assert!(
            validator.is_valid(&json!({"next": {"next": {}}}))
                && !validator.is_valid(&json!({"next": {"next": 1}}))
        );
    }
}
