//! What a booking carries for the host.

use crate::{
    confirmation::digest,
    value::{CustomerRef, JsonObject, Price, Reference, TimeZoneName},
    write::{Param, Savepoint},
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

    /// Anything else, at most 8 KiB. Cleared when the customer is erased, so personal data needs a
    /// [`customer`](Self::customer) next to it.
    pub fn metadata(mut self, metadata: JsonObject) -> Self {
        self.metadata = metadata;
        self
    }

    /// One digest over all, so that a record can tell another request without keeping anything personal. It outlives
    /// `erase`, because a refusal's record is not linked to any customer; the reference's randomness is what protects
    /// it.
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

    /// Only a reference may be somebody else's.
    pub(crate) const fn savepoint(&self) -> Savepoint {
        if self.reference.is_some() { Savepoint::Needed } else { Savepoint::Never }
    }

    pub(crate) fn columns(&self) -> DetailColumns<'_> {
        DetailColumns {
            reference: &self.reference,
            customer: &self.customer,
            price: self.price.map(|price| price.minor()),
            currency: self.price.as_ref().map(Price::currency),
            time_zone: self.time_zone.as_ref().map(TimeZoneName::as_str),
            metadata: self.metadata.to_value(),
        }
    }
}

/// Details as columns.
pub(crate) struct DetailColumns<'a> {
    reference: &'a Option<Reference>,
    customer: &'a Option<CustomerRef>,
    price: Option<i64>,
    currency: Option<&'a str>,
    time_zone: Option<&'a str>,
    metadata: Value,
}

impl DetailColumns<'_> {
    /// In the order every statement takes them in.
    pub(crate) fn params(&self) -> [Param<'_>; 6] {
        [self.reference, self.customer, &self.price, &self.currency, &self.time_zone, &self.metadata]
    }
}
