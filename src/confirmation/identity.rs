//! What makes two requests the same request.
//!
//! An id the library minted is no part of it: a caller that rebuilds its request after a crash mints another.
//! Everything the caller said is.

use crate::confirmation::Operation;
use crate::confirmation::snapshot::VERSION;
use crate::schema::SCHEMA_VERSION;
use crate::value::{BookingId, Buffers, Claim, HoldId, IdempotencyKey, Pair, Window, json::canonical};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The request of a decision, as recorded: ids, windows and choices. Who it is for is only a digest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The hold to confirm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldId>,
    /// The booking, where the caller named it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booking: Option<BookingId>,
    /// Whether that booking had to be pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<bool>,
    /// The window the hold had to have, or the one to book.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// The places to book or move to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<Pair>,
    /// Time kept free around them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buffers: Option<Buffers>,
    /// The revision the booking had to have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<i32>,
    /// Whether an expired hold was to be confirmed if its place was still free.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_still_free: Option<bool>,
    /// A digest of everything the booking carries: customer, price, reference, metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
}

impl RecordedRequest {
    pub(crate) fn claiming(claim: &Claim) -> Self {
        Self {
            window: Some(claim.window()),
            pairs: claim.as_pairs().to_vec(),
            buffers: Some(claim.buffers()),
            ..Self::default()
        }
    }

    /// The first part in which another request differs.
    pub(crate) fn first_difference(&self, other: &Self) -> &'static str {
        let differs = [
            (self.hold != other.hold, "hold"),
            (self.booking != other.booking || self.pending != other.pending, "booking"),
            (self.window != other.window, "window"),
            (self.pairs != other.pairs, "resources"),
            (self.buffers != other.buffers, "buffers"),
            (self.revision != other.revision, "revision"),
            (self.if_still_free != other.if_still_free, "if_still_free"),
            (self.details != other.details, "details"),
        ];
        differs.into_iter().find_map(|(differs, field)| differs.then_some(field)).unwrap_or("request")
    }
}

/// A request with its checksum and the part of the record that is known before the decision.
pub(crate) struct Identity {
    pub(crate) request: RecordedRequest,
    pub(crate) checksum: Vec<u8>,
    pub(crate) record: Value,
}

impl Identity {
    pub(crate) fn new(operation: Operation, key: &IdempotencyKey, request: RecordedRequest) -> Self {
        let mut record = json!({ "operation": operation, "request": request });
        let checksum = request_checksum(operation.as_str(), key.as_str(), &record["request"]);
        record["v"] = VERSION.into();
        record["schema"] = SCHEMA_VERSION.into();
        Self { request, checksum, record }
    }
}

/// What a record is bound to: its operation, its key and its request.
pub(super) fn request_checksum(operation: &str, key: &str, request: &Value) -> Vec<u8> {
    let mut text = String::new();
    canonical(&json!({ "operation": operation, "key": key, "request": request }), &mut text);
    Sha256::digest(text).to_vec()
}

/// A digest as hexadecimal text.
pub(crate) fn digest(value: &Value) -> String {
    let mut text = String::new();
    canonical(value, &mut text);
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
