-- The core of the booking domain: what can be booked, who claims it, what was decided.
--
-- Rules every table keeps: tenant_id first in every key; every constraint named, <= 40 bytes; nothing
-- deferrable; no triggers, functions, enum types or sequences; windows are half-open [start, end), finite,
-- 1970 to 2200, at most 400 days. A rule about one column is a domain: the server keeps its expression ready,
-- while it parses every check of a table anew in every statement that writes it (a bare insert into
-- allocations spent a quarter of its instructions on that). Checks keep what two columns decide together,
-- and the tables that are rarely written; lengths are the library's. The text `slotkeeper.` in front of a
-- table or domain is replaced by the schema the host chose.

-- Needs no more words: `empty` and unbounded windows have no inclusive lower bound or are contained in
-- nothing finite.
CREATE DOMAIN slotkeeper.booked_window AS tstzrange CONSTRAINT booked_window_check CHECK (
    lower_inc(VALUE) AND NOT upper_inc(VALUE)
    AND VALUE <@ tstzrange '[1970-01-01 00:00:00+00,2200-01-01 00:00:00+00)'
    AND upper(VALUE) - lower(VALUE) <= interval '400 days');

-- Up to a week.
CREATE DOMAIN slotkeeper.buffer_seconds AS integer CONSTRAINT buffer_seconds_check CHECK (
    VALUE BETWEEN 0 AND 604800);

-- How many places a claim took: all it asked for. A statement that lost part of them to a race writes -1, and
-- everything rolls back.
CREATE DOMAIN slotkeeper.claimed_rows AS integer CONSTRAINT claimed_rows_check CHECK (VALUE >= 0);

CREATE DOMAIN slotkeeper.hold_status AS text CONSTRAINT hold_status_check CHECK (
    VALUE IN ('active', 'consumed', 'released', 'replaced'));

CREATE DOMAIN slotkeeper.allocation_kind AS text CONSTRAINT allocation_kind_check CHECK (
    VALUE IN ('held', 'booked', 'blackout', 'external'));

CREATE DOMAIN slotkeeper.booking_status AS text CONSTRAINT booking_status_check CHECK (
    VALUE IN ('pending', 'confirmed', 'cancelled'));

-- The library keeps the list of operations, so that a new one needs no change here.
CREATE DOMAIN slotkeeper.operation AS text CONSTRAINT operation_check CHECK (
    octet_length(VALUE) BETWEEN 1 AND 40);

-- What can be booked: a table, a room, a person, a vehicle.
CREATE TABLE slotkeeper.resources (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    kind        text        NOT NULL,
    name        text        NOT NULL,
    reference   text,                          -- the host's own number, unique per tenant where given
    capacity    integer     NOT NULL,          -- largest party
    min_party   integer     NOT NULL,          -- smallest party
    attributes  jsonb       NOT NULL,          -- zone, floor, movable …: the host's, never read here
    active      boolean     NOT NULL,
    revision    integer     NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT statement_timestamp(),
    updated_at  timestamptz NOT NULL DEFAULT statement_timestamp(),
    CONSTRAINT resources_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT resources_kind_check CHECK (octet_length(kind) BETWEEN 1 AND 40),
    CONSTRAINT resources_name_check CHECK (octet_length(name) BETWEEN 1 AND 200),
    CONSTRAINT resources_reference_check CHECK (octet_length(reference) BETWEEN 1 AND 120),
    CONSTRAINT resources_capacity_check CHECK (min_party >= 1 AND capacity >= min_party)
) WITH (fillfactor = 90);

-- Unique where given, and no index entry where not: a partial index instead of a constraint.
-- So with every reference.
CREATE UNIQUE INDEX resources_reference_key ON slotkeeper.resources (tenant_id, reference)
    WHERE reference IS NOT NULL;

-- A claim with a TTL. Whether it is expired follows from expires_at and the database's clock; it is never
-- stored. No index holds `status`, `booking` data or anything else that confirming changes: that update stays
-- HOT.
CREATE TABLE slotkeeper.holds (
    tenant_id             uuid        NOT NULL,
    id                    uuid        NOT NULL,   -- also the claim_id of its allocations
    status                slotkeeper.hold_status NOT NULL,
    -- What the customer sees; allocations carry the buffers too.
    during                slotkeeper.booked_window NOT NULL,
    buffer_before_seconds slotkeeper.buffer_seconds NOT NULL,
    buffer_after_seconds  slotkeeper.buffer_seconds NOT NULL,
    rows                  slotkeeper.claimed_rows NOT NULL,
    placed_at             timestamptz NOT NULL DEFAULT statement_timestamp(),
    expires_at            timestamptz NOT NULL,
    latest_expires_at     timestamptz NOT NULL,   -- the policy on total life, fixed when the hold is placed
    swept_at              timestamptz,
    actor                 text,
    actor_seq             bigint,                 -- numbers an actor's holds where a limit applies
    reference             text,
    CONSTRAINT holds_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT holds_expires_check CHECK (expires_at <= latest_expires_at)
) WITH (fillfactor = 85);

CREATE UNIQUE INDEX holds_reference_key ON slotkeeper.holds (tenant_id, reference)
    WHERE reference IS NOT NULL;

-- Two holds of one actor placed at once compute the same number: the second repeats and counts the first.
CREATE UNIQUE INDEX holds_actor_seq_key ON slotkeeper.holds (tenant_id, actor, actor_seq)
    WHERE actor_seq IS NOT NULL;

-- The sweeper's work list. Confirming leaves both columns alone.
CREATE INDEX holds_expires_idx ON slotkeeper.holds (tenant_id, expires_at)
    WHERE swept_at IS NULL;

-- One claim space for holds, bookings, blackouts and busy external events: one resource × one window a row.
-- A hold and a booking can therefore never overlap, and confirming moves no window.
CREATE TABLE slotkeeper.allocations (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    resource_id uuid        NOT NULL,
    during      slotkeeper.booked_window NOT NULL, -- the blocked window: the visible one plus its buffers
    kind        slotkeeper.allocation_kind NOT NULL,
    claim_id    uuid        NOT NULL,             -- set at the claim, never changed: hold, booking, blackout
    expires_at  timestamptz,                      -- judges expiry; changed with holds.expires_at; no index
    released_at timestamptz,
    shadow      boolean     NOT NULL DEFAULT false, -- a legacy row that overlaps another and waits for repair
    shadowed_at timestamptz,                      -- when it was marked: nothing that overlaps came later
    created_at  timestamptz NOT NULL DEFAULT statement_timestamp(),
    CONSTRAINT allocations_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT allocations_resource_fkey FOREIGN KEY (tenant_id, resource_id)
        REFERENCES slotkeeper.resources (tenant_id, id),
    CONSTRAINT allocations_expires_check CHECK ((kind = 'held') = (expires_at IS NOT NULL)),
    -- The judge. Column order measured: (resource, window, tenant) probes 4 times faster than tenant first.
    CONSTRAINT allocations_resource_during_excl EXCLUDE USING gist (
        resource_id WITH =, during WITH &&, tenant_id WITH =) WHERE (released_at IS NULL AND NOT shadow)
) WITH (fillfactor = 85);

CREATE INDEX allocations_claim_idx ON slotkeeper.allocations (tenant_id, claim_id);

-- Live rows of a resource never overlap, so the last one starting before my end is the only one that
-- can block me.
CREATE INDEX allocations_start_idx ON slotkeeper.allocations (tenant_id, resource_id, lower(during))
    WHERE released_at IS NULL AND NOT shadow;

-- Shadow rows are outside the constraint, not outside the look. Empty on a healthy database.
CREATE INDEX allocations_shadow_idx ON slotkeeper.allocations (tenant_id, resource_id)
    WHERE released_at IS NULL AND shadow;

-- The immutable record of one decision, refusals too. Its key makes repeating a call safe.
CREATE TABLE slotkeeper.confirmations (
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    operation  slotkeeper.operation NOT NULL,
    key        text        NOT NULL,
    checksum   bytea       NOT NULL,              -- SHA-256 of the canonical request
    outcome    text        NOT NULL,
    booking_id uuid,
    rows       slotkeeper.claimed_rows NOT NULL,
    snapshot   jsonb       NOT NULL,              -- typed and versioned; ids and references only
    decided_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    CONSTRAINT confirmations_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT confirmations_key_key UNIQUE (tenant_id, operation, key)
);

CREATE INDEX confirmations_booking_idx ON slotkeeper.confirmations (tenant_id, booking_id)
    WHERE booking_id IS NOT NULL;

CREATE TABLE slotkeeper.bookings (
    tenant_id             uuid        NOT NULL,
    id                    uuid        NOT NULL,
    status                slotkeeper.booking_status NOT NULL,
    revision              integer     NOT NULL,
    during                slotkeeper.booked_window NOT NULL, -- what the customer sees
    buffer_before_seconds slotkeeper.buffer_seconds NOT NULL,
    buffer_after_seconds  slotkeeper.buffer_seconds NOT NULL,
    claim_id              uuid,                   -- the claim_id of its allocations, once confirmed
    confirmation_id       uuid,                   -- the decision that confirmed it
    reference             text,
    customer_ref          text,                   -- opaque; cleared by erase
    price_minor           bigint,
    currency              char(3),
    time_zone             text,
    metadata              jsonb       NOT NULL,
    history               jsonb       NOT NULL DEFAULT '[]', -- one element a revision
    created_at            timestamptz NOT NULL DEFAULT statement_timestamp(),
    updated_at            timestamptz NOT NULL DEFAULT statement_timestamp(),
    CONSTRAINT bookings_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT bookings_confirmed_check CHECK (
        status <> 'confirmed' OR (claim_id IS NOT NULL AND confirmation_id IS NOT NULL)),
    CONSTRAINT bookings_price_check CHECK ((price_minor IS NULL) = (currency IS NULL))
) WITH (fillfactor = 85);

-- Partial like the next, and so never mistaken for a way to find a booking by its id before
-- there are statistics.
CREATE UNIQUE INDEX bookings_claim_key ON slotkeeper.bookings (tenant_id, claim_id)
    WHERE claim_id IS NOT NULL;

CREATE UNIQUE INDEX bookings_reference_key ON slotkeeper.bookings (tenant_id, reference)
    WHERE reference IS NOT NULL;

CREATE INDEX bookings_customer_idx ON slotkeeper.bookings (tenant_id, customer_ref)
    WHERE customer_ref IS NOT NULL;

-- Events for other systems, written with the change they tell of. A relay reads them in id order
-- and deletes them.
CREATE TABLE slotkeeper.outbox (
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    event      text        NOT NULL,
    subject_id uuid        NOT NULL,              -- the booking or blackout
    body       jsonb       NOT NULL,              -- ids and windows only
    -- A blackout has no other parent row to count its claim.
    rows       slotkeeper.claimed_rows NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    CONSTRAINT outbox_pkey PRIMARY KEY (tenant_id, id)
);
