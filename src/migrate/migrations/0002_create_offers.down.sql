-- The runner refuses this while either table holds a row, unless told to destroy data.
DROP TABLE slotkeeper.offered_slots;
DROP TABLE slotkeeper.availability_cache;
