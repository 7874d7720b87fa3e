//! The parameters of a statement, out of any type that serialises.

use std::fmt;

use serde::{Serialize, ser};

use super::encode::{Encode, Encoded};
use crate::{Error, Result, StatusCode};

/// Values with their names, which are empty where they are given by position.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Params(pub(crate) Vec<(String, Value)>);

/// One value on its way to the database.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

impl Params {
    /// A tuple or list gives them by position, a struct or map by name, anything
    /// else is the only one.
    ///
    /// # Errors
    /// When one of them is not a value of SQL, naming it.
    pub(super) fn of(params: &(impl Serialize + ?Sized)) -> Result<Params> {
        match params.serialize(Encode).map_err(Unfit::into_error)? {
            Encoded::Unit => Ok(Params::default()),
            Encoded::Value(value) => Ok(Params(vec![(String::new(), value)])),
            Encoded::List(values) | Encoded::Map(values) => Ok(Params(values)),
        }
    }

    /// With the sign that SQL wants before a name, unless it has one.
    pub(super) fn signed(mut self) -> Params {
        for (name, _) in &mut self.0 {
            if !name.is_empty() && !name.starts_with([':', '@', '$']) {
                name.insert(0, ':');
            }
        }
        self
    }
}

/// Why a value cannot be a parameter.
#[derive(Debug)]
pub(super) struct Unfit {
    reason: String,
    /// Name or position of the parameter at fault.
    param: Option<String>,
}

impl Unfit {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Unfit {
            reason: reason.into(),
            param: None,
        }
    }

    pub(super) fn of(mut self, param: impl ToString) -> Self {
        self.param = Some(param.to_string());
        self
    }

    fn into_error(self) -> Error {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Error::new(status, "bad-params", self.to_string())
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(param) = &self.param {
            write!(f, "parameter {param}: ")?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Unfit {}

impl ser::Error for Unfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Unfit::new(message.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::db::Blob;

    #[derive(Serialize)]
    struct Note {
        id: u32,
        title: Option<String>,
        #[serde(rename = "$done")]
        done: bool,
    }

    #[derive(Serialize)]
    #[serde(rename_all = "lowercase")]
    enum State {
        Open,
        Held(u8),
    }

    #[derive(Serialize)]
    struct Id(String);

    fn positional(params: impl Serialize) -> Vec<Value> {
        let params = Params::of(&params).unwrap();
        assert!(params.0.iter().all(|(name, _)| name.is_empty()));
        params.0.into_iter().map(|(_, value)| value).collect()
    }

    fn refusal(params: impl Serialize) -> String {
        let error = Params::of(&params).unwrap_err();
        assert_eq!(error.code(), "bad-params");
        error.message().to_owned()
    }

    #[test]
    fn tuples_and_lists_go_by_position() {
        let values = positional((
            1_u8,
            "a",
            2.5_f32,
            true,
            None::<u8>,
            Blob([7_u8]),
            'c',
            State::Open,
        ));
        let expected = [
            Value::Integer(1),
            Value::Text("a".into()),
            Value::Real(2.5),
            Value::Integer(1),
            Value::Null,
            Value::Blob(vec![7]),
            Value::Text("c".into()),
            Value::Text("open".into()),
        ];
        assert_eq!(values, expected);
        assert_eq!(positional(["a", "b"]).len(), 2);
        assert_eq!(positional(&vec![1, 2, 3][..]).len(), 3);
    }

    #[test]
    fn a_single_value_is_the_only_parameter() {
        assert_eq!(positional(()), []);
        assert_eq!(positional(7), [Value::Integer(7)]);
        assert_eq!(positional("a"), [Value::Text("a".into())]);
        assert_eq!(positional(None::<i64>), [Value::Null]);
        assert_eq!(positional(Some(7)), [Value::Integer(7)]);
        assert_eq!(positional(Id("x".into())), [Value::Text("x".into())]);
        assert_eq!(positional(Blob("ab")), [Value::Blob(b"ab".to_vec())]);
        assert_eq!(positional(State::Open), [Value::Text("open".into())]);
    }

    #[test]
    fn structs_and_maps_go_by_name() {
        let note = Note {
            id: 1,
            title: None,
            done: false,
        };
        let params = Params::of(&note).unwrap().signed();
        let expected = [
            (":id".to_owned(), Value::Integer(1)),
            (":title".to_owned(), Value::Null),
            ("$done".to_owned(), Value::Integer(0)),
        ];
        assert_eq!(params.0, expected);
        let params = Params::of(&BTreeMap::from([("a", 1)])).unwrap();
        assert_eq!(params.0, [("a".to_owned(), Value::Integer(1))]);
        let params = Params::of(&serde_json::json!({"a": "x"})).unwrap();
        assert_eq!(params.0, [("a".to_owned(), Value::Text("x".into()))]);
    }

    #[test]
    fn what_sql_has_no_value_for_is_refused_by_name() {
        assert_eq!(
            refusal((1, u64::MAX)),
            "parameter 2: 18446744073709551615 is not a 64-bit signed integer, which is what SQL has"
        );
        let nested = "is not a value of SQL; encode it as JSON text, with serde_json::to_string";
        assert_eq!(
            refusal(("a", vec![1])),
            format!("parameter 2: a list {nested}; bytes go into a Blob")
        );
        assert_eq!(
            refusal(BTreeMap::from([("tags", BTreeMap::from([("a", 1)]))])),
            format!("parameter tags: a struct or map {nested}")
        );
        assert_eq!(
            refusal([State::Held(1)]),
            format!("parameter 1: an enum with data {nested}")
        );
        assert!(refusal(BTreeMap::from([(1, "a")])).contains("keys"));
    }
}
