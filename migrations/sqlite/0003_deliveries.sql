-- Deliveries that can be told of, and found, without the backup's record.

-- Of which database the backup is: its record may be gone before the delivery is over.
ALTER TABLE deliveries ADD COLUMN database_id TEXT NOT NULL DEFAULT '';
ALTER TABLE deliveries ADD COLUMN database_slug TEXT NOT NULL DEFAULT 'unknown';
UPDATE deliveries SET (database_id, database_slug) =
    (SELECT b.database_id, b.database_slug FROM backups b WHERE b.id = deliveries.backup_id)
WHERE EXISTS (SELECT 1 FROM backups b WHERE b.id = deliveries.backup_id);

-- Since when it waits for somebody. Looking again whether it still does changes nothing.
ALTER TABLE deliveries ADD COLUMN blocked_at BIGINT;

-- Of a notification about a delivery: after which of its attempts, so that each
-- failure is told once. Below zero: while it waited for somebody before the next.
ALTER TABLE deliveries ADD COLUMN about_attempt BIGINT NOT NULL DEFAULT 0;
DROP INDEX deliveries_once;
CREATE UNIQUE INDEX deliveries_once
    ON deliveries (backup_id, destination_id, purpose, event, about, about_attempt);

-- How many of a destination are held is asked for each one that waits.
DROP INDEX jobs_by_destination;
CREATE INDEX jobs_by_destination ON jobs (destination_id, worker) WHERE destination_id IS NOT NULL;

-- Of a copy: with which settings it was stored. With others its location may be
-- somewhere else.
ALTER TABLE deliveries ADD COLUMN stored_with TEXT;

-- Before a copy is removed, those that other destinations have at its location.
CREATE INDEX deliveries_by_location ON deliveries (location)
    WHERE purpose = 'store' AND status = 'completed';
