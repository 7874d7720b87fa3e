//! The limits of one plugin's own keys and values, with their defaults in one place.

/// What one plugin's durable keys and values may use, beside the file's own limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct KvLimits {
    /// Length of one value.
    pub value_bytes_max: usize,
}

impl Default for KvLimits {
    fn default() -> Self {
        KvLimits {
            value_bytes_max: 1024 * 1024,
        }
    }
}
