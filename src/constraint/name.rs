//! The names a constraint goes by besides its own: a shard's, a tenant's, and that of its successor.

/// `name` without the `_` and digits that a shard adds to it.
pub(crate) fn unsharded(name: &str) -> Option<&str> {
    let base = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let base = if base.len() < name.len() { base.strip_suffix('_')? } else { return None };
    (!base.is_empty()).then_some(base)
}

/// What a new object's name ends with until it takes the place of the old one.
pub(crate) const NEW: &str = "~";

/// Whether a constraint keeps the rule: for all, for one tenant, or as the one that is about to take its place.
pub(crate) fn keeps(constraint: &str, rule: &str) -> bool {
    let Some(rest) = constraint.strip_prefix(rule) else { return false };
    let rest = rest.strip_suffix(NEW).unwrap_or(rest);
    let digits = rest.strip_prefix("_c");
    rest.is_empty() || digits.is_some_and(|hex| hex.len() == 8 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}
