//! The JSON Schema of `exthost.toml`, for editors.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde_json::Value;

use crate::config::ConfigFile;

impl ConfigFile {
    /// The JSON Schema (draft 2020-12) of the file, for editors.
    pub fn schema() -> Value {
        let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(plain));
        settings
            .into_generator()
            .into_root_schema_for::<ConfigFile>()
            .to_value()
    }
}

/// Takes away what Rust knows and TOML has not: null, which a key that is left out
/// stands for, and the widths of integers.
fn plain(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    object.remove("format");
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            object.insert("type".to_owned(), one);
        }
    }
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|choice| choice["type"] != "null");
        if let [Value::Object(one)] = choices.as_slice() {
            let one = one.clone();
            object.remove("anyOf");
            object.extend(one);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_described_and_none_may_be_null() {
        let schema = ConfigFile::schema();
        let text = schema.to_string();
        assert!(!text.contains("null"), "{text}");
        let definitions = schema["$defs"].as_object().unwrap().values();
        for object in definitions.chain([&schema]) {
            let properties = object["properties"].as_object();
            for (name, property) in properties.into_iter().flatten() {
                let description = property["description"].as_str().unwrap_or_default();
                assert!(!description.is_empty(), "{name} of {object}");
                // Links and examples are for readers of Rust.
                assert!(!description.contains("[`"), "{name}: {description}");
            }
            assert!(
                !object["description"].to_string().contains("```"),
                "{object}"
            );
        }
    }
}
