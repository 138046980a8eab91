//! What a booking carries for the host.

use crate::{
    confirmation::digest,
    json::JsonObject,
    price::Price,
    text::{CustomerRef, Reference, TimeZoneName},
};
use serde_json::{Value, json};

/// Everything about a booking that the library keeps and never reads. All of it optional.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "details do nothing until they are given to a request"]
pub struct BookingDetails {
    pub(crate) reference: Option<Reference>,
    pub(crate) customer: Option<CustomerRef>,
    pub(crate) price: Option<Price>,
    pub(crate) time_zone: Option<TimeZoneName>,
    pub(crate) metadata: JsonObject,
}

impl BookingDetails {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The host's own number, unique among the tenant's bookings.
    pub fn reference(mut self, reference: Reference) -> Self {
        self.reference = Some(reference);
        self
    }

    /// Whose it is.
    pub fn customer(mut self, customer: CustomerRef) -> Self {
        self.customer = Some(customer);
        self
    }

    /// What it costs.
    pub const fn price(mut self, price: Price) -> Self {
        self.price = Some(price);
        self
    }

    /// The customer's time zone, for display.
    pub fn time_zone(mut self, time_zone: TimeZoneName) -> Self {
        self.time_zone = Some(time_zone);
        self
    }

    /// Anything else, at most 8 KiB. Cleared when the customer is erased.
    pub fn metadata(mut self, metadata: JsonObject) -> Self {
        self.metadata = metadata;
        self
    }

    /// One digest over all, so that a record can tell another request without keeping anything personal.
    pub(crate) fn digest(&self) -> Option<String> {
        (*self != Self::default()).then(|| {
            digest(&json!({
                "reference": self.reference.as_ref().map(Reference::as_str),
                "customer": self.customer.as_ref().map(CustomerRef::as_str),
                "price": self.price,
                "time_zone": self.time_zone.as_ref().map(TimeZoneName::as_str),
                "metadata": self.metadata.as_map(),
            }))
        })
    }

    pub(crate) fn columns(&self) -> DetailColumns<'_> {
        DetailColumns {
            price: self.price.map(|price| price.minor()),
            currency: self.price.as_ref().map(Price::currency),
            time_zone: self.time_zone.as_ref().map(TimeZoneName::as_str),
            metadata: self.metadata.to_value(),
        }
    }
}

/// Details as the columns of a statement; the two texts are sent as they are.
pub(crate) struct DetailColumns<'a> {
    pub(crate) price: Option<i64>,
    pub(crate) currency: Option<&'a str>,
    pub(crate) time_zone: Option<&'a str>,
    pub(crate) metadata: Value,
}
