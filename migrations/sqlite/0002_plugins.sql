-- Plugins, destinations, and deliveries of backups to them.

-- Every component that was ever seen, by the SHA-256 of its file. Approval and
-- grants belong to this row and are never taken over by another one, but for
-- components that the program itself carries.
CREATE TABLE components (
    hash TEXT NOT NULL PRIMARY KEY,
    plugin_id TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    -- What the component says of itself, what it exports and imports: JSON.
    description TEXT NOT NULL,
    file TEXT NOT NULL,
    bundled BIGINT NOT NULL,
    first_seen_at BIGINT NOT NULL,
    approved_at BIGINT,
    approved_by TEXT,
    grants TEXT NOT NULL,
    CHECK ((approved_at IS NULL) = (approved_by IS NULL))
);

CREATE TABLE destinations (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    plugin_id TEXT NOT NULL,
    stores BIGINT NOT NULL,
    notifies BIGINT NOT NULL,
    retains BIGINT NOT NULL,
    settings TEXT NOT NULL,
    sealed BLOB,
    enabled BIGINT NOT NULL,
    -- A JSON list of databases; nothing for all of them.
    databases TEXT,
    events TEXT NOT NULL,
    concurrency BIGINT NOT NULL CHECK (concurrency > 0),
    keep_going BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    removed_at BIGINT
);

-- What the last test of a destination found: JSON. It goes when its settings change.
CREATE TABLE destination_checks (
    destination_id TEXT NOT NULL PRIMARY KEY REFERENCES destinations (id),
    checked_at BIGINT NOT NULL,
    found TEXT NOT NULL
);

-- Which destinations a backup goes to: a JSON list, or nothing for all that
-- are there when it completes.
ALTER TABLE backups ADD COLUMN destinations TEXT;

-- Removing a copy outlives the backup's record, so backup_id refers to nothing.
CREATE TABLE deliveries (
    id TEXT NOT NULL PRIMARY KEY,
    backup_id TEXT NOT NULL,
    destination_id TEXT NOT NULL REFERENCES destinations (id),
    purpose TEXT NOT NULL CHECK (purpose IN ('store', 'remove', 'notify')),
    -- Of a notification: what it tells, and of which delivery. Empty otherwise.
    event TEXT NOT NULL,
    about TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN
        ('pending', 'running', 'retrying', 'blocked', 'completed', 'failed', 'cancelled')),
    attempts BIGINT NOT NULL,
    -- Attempts since somebody last asked for it.
    tries BIGINT NOT NULL,
    location TEXT,
    bytes BIGINT,
    note TEXT,
    error TEXT,
    created_at BIGINT NOT NULL,
    completed_at BIGINT,
    CHECK (status <> 'completed' OR purpose <> 'store' OR location IS NOT NULL)
);

CREATE TABLE attempts (
    delivery_id TEXT NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    outcome TEXT,
    bytes BIGINT NOT NULL,
    error TEXT,
    -- A JSON list of lines.
    log TEXT NOT NULL,
    PRIMARY KEY (delivery_id, number)
);

-- The queue holds deliveries too. A job is of a backup, whose database has one
-- at a time, or of a delivery, of which a destination has as many as it allows.
CREATE TABLE jobs_2 (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    backup_id TEXT UNIQUE REFERENCES backups (id) ON DELETE CASCADE,
    database_id TEXT,
    delivery_id TEXT UNIQUE REFERENCES deliveries (id) ON DELETE CASCADE,
    destination_id TEXT,
    created_at BIGINT NOT NULL,
    not_before BIGINT NOT NULL,
    worker TEXT,
    fence BIGINT NOT NULL,
    beats BIGINT NOT NULL,
    renewed_at BIGINT,
    expires_at BIGINT,
    cancel_requested BIGINT NOT NULL,
    progress TEXT,
    CHECK ((kind = 'backup') = (backup_id IS NOT NULL AND database_id IS NOT NULL)),
    CHECK ((kind = 'delivery') = (delivery_id IS NOT NULL AND destination_id IS NOT NULL))
);
INSERT INTO jobs_2 (id, kind, backup_id, database_id, created_at, not_before, worker, fence,
    beats, renewed_at, expires_at, cancel_requested, progress)
SELECT id, kind, backup_id, database_id, created_at, 0, worker, fence,
    beats, renewed_at, expires_at, cancel_requested, progress FROM jobs;
DROP TABLE jobs;
ALTER TABLE jobs_2 RENAME TO jobs;
CREATE INDEX jobs_by_created ON jobs (created_at, id);
CREATE INDEX jobs_by_kind ON jobs (kind, not_before, created_at, id);
CREATE INDEX jobs_by_destination ON jobs (destination_id) WHERE destination_id IS NOT NULL;
-- One run per database at a time, whatever a query forgets.
CREATE UNIQUE INDEX jobs_one_per_database ON jobs (database_id)
    WHERE worker IS NOT NULL AND database_id IS NOT NULL;

-- Last, so that they take the pages that the old table has left.
CREATE INDEX components_by_plugin ON components (plugin_id, approved_at);
CREATE UNIQUE INDEX destinations_by_name ON destinations (name) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX deliveries_once
    ON deliveries (backup_id, destination_id, purpose, event, about);
CREATE INDEX deliveries_by_destination ON deliveries (destination_id, created_at, id, status);
CREATE INDEX deliveries_by_status ON deliveries (status, created_at, id);
