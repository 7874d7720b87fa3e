//! Values captured from the path.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use crate::values::{Invalid, Values};
use crate::{Error, FromRequest, Parts, Result};

/// The values that the route's pattern captured: one, a tuple in the order of
/// the pattern, or a struct by name.
///
/// # Errors
/// 400 that names the parameter, and 500 when `T` asks for another number of
/// parameters than the pattern has.
///
/// # Examples
/// ```
/// use exthost_plugin::prelude::*;
///
/// // router.get("items/{id}", item)
/// async fn item(Path(id): Path<u64>) -> String {
///     format!("item {id}")
/// }
///
/// // router.get("users/{user}/items/{id}", of_user)
/// async fn of_user(Path((user, id)): Path<(String, u64)>) -> String {
///     format!("item {id} of {user}")
/// }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Path<T> {
    fn from_request(parts: &Parts<'_>) -> Result<Self> {
        from_params(parts.params()).map(Path).map_err(|error| {
            let message = format!("path: {error}");
            if error.misfit {
                Error::internal(message)
            } else {
                Error::bad_request(message).with_code("bad-path")
            }
        })
    }
}

fn from_params<'a, T: DeserializeOwned>(
    params: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<T, Invalid> {
    let borrowed = |(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value));
    T::deserialize(params.map(borrowed).collect::<Values<'_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    const TWO: [(&str, &str); 2] = [("user", "ada"), ("id", "7")];

    #[derive(Debug, Deserialize, PartialEq)]
    struct Place {
        id: u64,
        user: String,
    }

    #[test]
    fn one_value_a_tuple_and_a_struct() {
        assert_eq!(from_params::<u64>([("id", "7")].into_iter()).unwrap(), 7);
        let pair: (String, u64) = from_params(TWO.into_iter()).unwrap();
        assert_eq!(pair, ("ada".to_owned(), 7));
        let place: Place = from_params(TWO.into_iter()).unwrap();
        assert_eq!(place.id, 7);
        assert_eq!(place.user, "ada");
        let list: Vec<String> = from_params(TWO.into_iter()).unwrap();
        assert_eq!(list, ["ada", "7"]);
    }

    #[test]
    fn a_bad_value_is_the_clients_fault() {
        let error = from_params::<(String, u8)>([("a", "x"), ("b", "-1")].into_iter()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "b: expected a whole number from 0 to 255, got `-1`"
        );
        assert!(!error.misfit);
    }

    #[test]
    fn another_number_of_values_is_the_authors() {
        let error = from_params::<u64>(TWO.into_iter()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the handler takes 1, the pattern captures 2"
        );
        assert!(error.misfit);
        assert!(
            from_params::<(u8, u8, u8)>(TWO.into_iter())
                .unwrap_err()
                .misfit
        );
    }
}
