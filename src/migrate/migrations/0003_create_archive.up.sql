-- Where past allocations go: out of the claim space, so that its indexes hold what can still be
-- in somebody's way.

-- The columns of `allocations`, and when a row came. No exclusion and no foreign key: nothing is claimed
-- here, and the archive holds nothing up.
CREATE TABLE slotkeeper.allocations_archive (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    resource_id uuid        NOT NULL,
    during      slotkeeper.booked_window NOT NULL,
    kind        text        NOT NULL,
    claim_id    uuid        NOT NULL,
    expires_at  timestamptz,
    released_at timestamptz,
    shadow      boolean     NOT NULL,
    shadowed_at timestamptz,
    created_at  timestamptz NOT NULL,
    archived_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    CONSTRAINT allocations_archive_pkey PRIMARY KEY (tenant_id, id)
);

-- Partial, and so never mistaken for a way to find a row by its id before there are statistics of its tenant.
CREATE INDEX allocations_archive_claim_idx ON slotkeeper.allocations_archive (tenant_id, claim_id)
    WHERE claim_id IS NOT NULL;
