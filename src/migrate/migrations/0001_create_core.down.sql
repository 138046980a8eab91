-- Children first. The runner refuses this while any of the tables holds a row, unless told to destroy data.
DROP TABLE slotkeeper.outbox;
DROP TABLE slotkeeper.bookings;
DROP TABLE slotkeeper.confirmations;
DROP TABLE slotkeeper.allocations;
DROP TABLE slotkeeper.holds;
DROP TABLE slotkeeper.resources;

DROP DOMAIN slotkeeper.operation;
DROP DOMAIN slotkeeper.booking_status;
DROP DOMAIN slotkeeper.allocation_kind;
DROP DOMAIN slotkeeper.hold_status;
DROP DOMAIN slotkeeper.claimed_rows;
DROP DOMAIN slotkeeper.buffer_seconds;
DROP DOMAIN slotkeeper.booked_window;
