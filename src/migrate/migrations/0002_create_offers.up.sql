-- What is shown to customers before they choose: the last computed availability, and a ledger of the slots
-- offered. Neither decides anything: a slot shown is not a slot held.

-- One row per tenant and source, so that refreshing one source cannot overwrite the other.
CREATE TABLE slotkeeper.availability_cache (
    tenant_id      uuid        NOT NULL,
    source         text        NOT NULL,
    body           jsonb,                     -- null until it was first computed
    as_of          timestamptz,               -- when it was begun; orders refreshes, judges freshness
    refreshed_at   timestamptz,               -- when it was written
    invalidated_at timestamptz,               -- what was begun before is not fresh
    failed_at      timestamptz,
    error_count    integer     NOT NULL,      -- since the last success
    last_error     text,                      -- a code, never free text
    CONSTRAINT availability_cache_pkey PRIMARY KEY (tenant_id, source),
    CONSTRAINT availability_cache_source_check CHECK (source IN ('default', 'direct_book')),
    CONSTRAINT availability_cache_body_check CHECK (num_nulls(body, as_of, refreshed_at) IN (0, 3)),
    CONSTRAINT availability_cache_error_check CHECK (
        error_count >= 0 AND (error_count > 0) = (last_error IS NOT NULL)
        AND (error_count = 0 OR failed_at IS NOT NULL))
) WITH (fillfactor = 85);

-- How often each slot was offered. Counting again changes nothing indexed, and a batch counts most rows of a
-- page at once: with half of it left free, that update stays HOT.
CREATE TABLE slotkeeper.offered_slots (
    tenant_id        uuid        NOT NULL,
    source           text        NOT NULL,
    starts_at        timestamptz NOT NULL,
    offered          bigint      NOT NULL,
    first_offered_at timestamptz NOT NULL,
    last_offered_at  timestamptz NOT NULL,
    CONSTRAINT offered_slots_pkey PRIMARY KEY (tenant_id, source, starts_at),
    CONSTRAINT offered_slots_source_check CHECK (source IN ('default', 'direct_book')),
    CONSTRAINT offered_slots_starts_check CHECK (
        starts_at >= '1970-01-01 00:00:00+00' AND starts_at <= '2200-01-01 00:00:00+00'),
    CONSTRAINT offered_slots_offered_check CHECK (offered >= 1)
) WITH (fillfactor = 45);
