-- audit.allocation_shadow
-- Live rows outside the constraint, which wait for repair. No damage, but no promise either.
SELECT a.tenant_id, a.id FROM slotkeeper.allocations a WHERE a.released_at IS NULL AND a.shadow
