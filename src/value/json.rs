//! JSON objects the host hangs on our rows, and the canonical form a checksum needs.

use super::InvalidInput;
use serde_json::{Map, Value};
use std::fmt;

/// Nesting PostgreSQL parses without nearing its stack limit.
pub(crate) const MAX_DEPTH: usize = 32;

/// A JSON object of at most 8 KiB, 32 levels deep, that PostgreSQL stores as it is: no `\u0000` in a key or a string,
/// and a number that is no integer is 0 or between 10⁻⁶ and 10¹⁶, either sign.
///
/// The library never reads what is in it.
#[derive(Clone, PartialEq, Default)]
pub struct JsonObject(Map<String, Value>);

impl JsonObject {
    /// The largest object, in bytes of compact JSON.
    pub const LIMIT: usize = 8 * 1024;

    /// Checks and wraps a JSON value, which must be an object.
    ///
    /// # Errors
    /// [`InvalidInput::Json`] if it is no object, is too deep, or holds a NUL or an extreme number;
    /// [`InvalidInput::TooLong`] beyond [`JsonObject::LIMIT`].
    pub fn new(value: Value) -> Result<Self, InvalidInput> {
        Self::checked("json", value)
    }

    pub(crate) fn checked(field: &'static str, value: Value) -> Result<Self, InvalidInput> {
        let Value::Object(map) = value else { return Err(InvalidInput::Json { field }) };
        let value = Value::Object(map);
        if !storable(&value, MAX_DEPTH) {
            return Err(InvalidInput::Json { field });
        }
        if value.to_string().len() > Self::LIMIT {
            return Err(InvalidInput::TooLong { field, limit: Self::LIMIT });
        }
        let Value::Object(map) = value else { return Err(InvalidInput::Json { field }) };
        Ok(Self(map))
    }

    /// Back from the database.
    pub(crate) fn stored(value: Value) -> Self {
        match value {
            Value::Object(map) => Self(map),
            _ => Self::default(),
        }
    }

    /// The object.
    #[must_use]
    pub const fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// As a plain JSON value.
    #[must_use]
    pub fn to_value(&self) -> Value {
        Value::Object(self.0.clone())
    }
}

impl fmt::Debug for JsonObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JsonObject({} keys)", self.0.len())
    }
}

/// Whether PostgreSQL stores a value of at most `depth` levels and gives the same one back.
pub(crate) fn storable(value: &Value, depth: usize) -> bool {
    match value {
        _ if depth == 0 => false,
        Value::String(text) => !text.contains('\0'),
        Value::Array(items) => items.iter().all(|item| storable(item, depth - 1)),
        Value::Object(map) => map.iter().all(|(key, item)| !key.contains('\0') && storable(item, depth - 1)),
        // PostgreSQL keeps numbers as decimals: all digits are written out, 10^16 comes back as an integer, and there
        // is no negative zero. An object must neither grow beyond what a column takes nor come back as another one.
        Value::Number(number) if number.is_f64() => number.as_f64().is_some_and(|float| {
            let size = float.abs();
            (1e-6..1e16).contains(&size) || (size == 0.0 && float.is_sign_positive())
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Compact JSON with sorted keys. Sorted here because a host may switch on `serde_json`'s `preserve_order`, and then
/// the same object in another order would have another checksum.
pub(crate) fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (n, (key, item)) in entries.into_iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                canonical(item, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                canonical(item, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use serde_json::json;

    #[test]
    fn what_postgresql_cannot_store_is_refused() {
        let refused = |value| JsonObject::checked("metadata", value).err();
        assert_eq!(refused(json!([1])), Some(InvalidInput::Json { field: "metadata" }));
        assert_eq!(refused(json!({"a": "x\0"})), Some(InvalidInput::Json { field: "metadata" }));
        assert_eq!(refused(json!({"\0": 1})), Some(InvalidInput::Json { field: "metadata" }));
        let deep = (0..40).fold(json!(1), |inner, _| json!({ "a": inner }));
        assert_eq!(refused(deep), Some(InvalidInput::Json { field: "metadata" }));
        let long = json!({"a": "x".repeat(9_000)});
        assert_eq!(refused(long), Some(InvalidInput::TooLong { field: "metadata", limit: 8_192 }));
        assert!(JsonObject::new(json!({"table": "by the window"})).is_ok());
    }

    #[test]
    fn canonical_form_ignores_key_order() {
        let text = |json: &str| {
            let mut out = String::new();
            canonical(&serde_json::from_str(json).unwrap(), &mut out);
            out
        };
        assert_eq!(text(r#"{"b":[1,{"d":2,"c":3}],"a":"ü"}"#), text(r#"{"a":"ü","b":[1,{"c":3,"d":2}]}"#));
        assert_ne!(text(r#"{"a":1}"#), text(r#"{"a":2}"#));
    }
}
