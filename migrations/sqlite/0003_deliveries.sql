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

-- Of a deleted backup: that a copy was sent and never confirmed, or that the
-- copy which this would have removed is to stay.
ALTER TABLE deliveries ADD COLUMN left_there TEXT NOT NULL DEFAULT ''
    CHECK (left_there IN ('', 'unconfirmed', 'kept'));

-- Policies look at the copies of one database after each delivery.
CREATE INDEX deliveries_copies ON deliveries (destination_id, database_id)
    WHERE purpose = 'store' AND status = 'completed';
-- What may be left of deleted backups: few, among many that are in order.
CREATE INDEX deliveries_left ON deliveries (destination_id, created_at, id)
    WHERE (purpose = 'remove' AND status = 'failed') OR left_there = 'unconfirmed';
-- Attempts whose log takes room.
CREATE INDEX attempts_logged ON attempts (ended_at) WHERE log <> '[]';

-- When the wait until not_before was planned. If that is still to come, the
-- clock was set back since.
ALTER TABLE jobs ADD COLUMN planned_at BIGINT NOT NULL DEFAULT 0;
UPDATE jobs SET planned_at = created_at WHERE kind = 'delivery';
-- Whether it is word of something: those have places of their own.
ALTER TABLE jobs ADD COLUMN is_word BIGINT NOT NULL DEFAULT 0;
UPDATE jobs SET is_word = 1
WHERE delivery_id IN (SELECT id FROM deliveries WHERE purpose = 'notify');

-- How many of a destination are held is asked for each one that waits.
DROP INDEX jobs_by_destination;
CREATE INDEX jobs_by_destination ON jobs (destination_id, worker) WHERE destination_id IS NOT NULL;
CREATE INDEX jobs_held ON jobs (kind, is_word) WHERE worker IS NOT NULL;

-- Of a copy: with which settings it was stored. With others its location may be
-- somewhere else.
ALTER TABLE deliveries ADD COLUMN stored_with TEXT;

-- Before a copy is removed, those that other destinations have at its location.
CREATE INDEX deliveries_by_location ON deliveries (location)
    WHERE purpose = 'store' AND status = 'completed';
