//! A plugin's options: what the operator set, merged over the plugin's
//! defaults and checked against its schema.

use std::sync::{Mutex, PoisonError};

use exthost_abi::Status;
use serde_json::{Map, Value};

use crate::services::context::PluginContext;
use crate::services::error::ServiceError;

/// The options of one plugin.
#[derive(Debug)]
pub struct Options {
    value: Mutex<Value>,
}

impl Options {
    /// Holds what the operator set.
    pub fn new(set: Map<String, Value>) -> Self {
        Options {
            value: Mutex::new(Value::Object(set)),
        }
    }

    /// Merges the operator's options over `defaults` and checks the result
    /// against `schema`; either text may be empty.
    pub fn declare(
        &self,
        context: &PluginContext,
        defaults: &str,
        schema: &str,
    ) -> Result<(), ServiceError> {
        context.check_init("declaring options")?;
        let defaults = parse(defaults, "the defaults")?;
        let schema = parse(schema, "the schema")?;
        let mut value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        let mut merged = defaults.unwrap_or_else(|| Value::Object(Map::new()));
        if !merged.is_object() {
            return Err(ServiceError::invalid("the defaults must be a JSON object"));
        }
        merge(&mut merged, &value);
        if let Some(schema) = schema {
            check(&merged, &schema)?;
        }
        *value = merged;
        Ok(())
    }

    /// The value at `pointer` (RFC 6901) as JSON text.
    pub fn read(&self, pointer: &str) -> Result<String, ServiceError> {
        if !pointer.is_empty() && !pointer.starts_with('/') {
            return Err(ServiceError::invalid(format!(
                "the JSON Pointer {pointer:?} must be empty or begin with a slash"
            )));
        }
        let value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        match value.pointer(pointer) {
            Some(value) => Ok(value.to_string()),
            None => Err(ServiceError::new(
                Status::NOT_FOUND,
                "no-such-option",
                format!("no option stands at {pointer}"),
            )),
        }
    }
}

fn parse(text: &str, what: &str) -> Result<Option<Value>, ServiceError> {
    if text.is_empty() {
        return Ok(None);
    }
    let parsed = serde_json::from_str(text);
    parsed.map_err(|error| ServiceError::invalid(format!("{what} are not JSON: {error}")))
}

/// Writes `over` into `base`, object by object.
fn merge(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                merge(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over.clone(),
    }
}

fn check(options: &Value, schema: &Value) -> Result<(), ServiceError> {
    let validator = jsonschema::validator_for(schema).map_err(|error| {
        ServiceError::invalid(format!("the plugin's options schema is malformed: {error}"))
    })?;
    match validator.iter_errors(options).next() {
        None => Ok(()),
        Some(error) => Err(ServiceError::new(
            Status::INVALID,
            "option-invalid",
            format!("option {}: {error}", at(error.instance_path().as_str())),
        )),
    }
}

/// The path of a value for people: `/threshold`, or `(all options)`.
fn at(pointer: &str) -> &str {
    match pointer {
        "" => "(all options)",
        pointer => pointer,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Limits;
    use crate::name::PluginName;

    fn context() -> PluginContext {
        let name = PluginName::parse("memwatch").unwrap();
        PluginContext::new(name, 1, Limits::default(), Vec::new())
    }

    fn options(set: Value) -> Options {
        match set {
            Value::Object(set) => Options::new(set),
            other => panic!("{other} is no object"),
        }
    }

    #[test]
    fn what_the_operator_set_is_merged_over_the_defaults() {
        let options = options(json!({"limits": {"high": 9}}));
        let defaults = r#"{"limits": {"low": 1, "high": 2}, "unit": "MiB"}"#;
        options.declare(&context(), defaults, "").unwrap();
        assert_eq!(options.read("/limits/high").unwrap(), "9");
        assert_eq!(options.read("/limits/low").unwrap(), "1");
        assert_eq!(options.read("/unit").unwrap(), r#""MiB""#);
        assert_eq!(options.read("/none").unwrap_err().status, Status::NOT_FOUND);
        assert_eq!(options.read("none").unwrap_err().status, Status::INVALID);
    }

    #[test]
    fn a_value_that_fails_the_schema_is_named_by_its_path() {
        let options = options(json!({"threshold": "much"}));
        let schema = r#"{"properties": {"threshold": {"type": "integer"}}}"#;
        let error = options.declare(&context(), "", schema).unwrap_err();
        assert!(error.message.contains("/threshold"), "{}", error.message);
        assert!(error.message.contains("integer"), "{}", error.message);
        // What was set stays as it was.
        assert_eq!(options.read("/threshold").unwrap(), r#""much""#);
    }
}
