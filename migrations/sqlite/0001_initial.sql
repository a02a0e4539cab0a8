-- Columns are TEXT, BIGINT, DOUBLE or BLOB only, so that one set of queries
-- serves SQLite and PostgreSQL. Booleans are 0 or 1; moments are milliseconds
-- since 1970 in UTC; identifiers are hyphenated UUIDs in lower case.

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    username TEXT NOT NULL UNIQUE CHECK (username = lower(username)),
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'administrator')),
    created_at BIGINT NOT NULL,
    password_changed_at BIGINT NOT NULL,
    disabled_at BIGINT
);

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    key_digest BLOB NOT NULL UNIQUE,
    user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    absolute_expires_at BIGINT NOT NULL,
    idle_expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);

CREATE TABLE tokens (
    id TEXT NOT NULL PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX tokens_by_user ON tokens (user_id);

CREATE TABLE settings (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE setup_tokens (
    digest BLOB NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

CREATE TABLE databases (
    id TEXT NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL,
    engine TEXT NOT NULL CHECK (engine IN ('postgres', 'sqlite')),
    summary TEXT NOT NULL,
    settings TEXT NOT NULL,
    sealed BLOB,
    created_at BIGINT NOT NULL,
    removed_at BIGINT
);
CREATE UNIQUE INDEX databases_by_slug ON databases (slug) WHERE removed_at IS NULL;

-- Backups outlive the record of their database, and adopted ones may never
-- have had one here, so database_id refers to nothing.
CREATE TABLE backups (
    id TEXT NOT NULL PRIMARY KEY,
    database_id TEXT NOT NULL,
    database_slug TEXT NOT NULL,
    engine TEXT NOT NULL,
    filename TEXT,
    format TEXT NOT NULL,
    level BIGINT NOT NULL,
    trigger_kind TEXT NOT NULL,
    status TEXT NOT NULL
        CHECK (status IN ('pending', 'running', 'completed', 'failed', 'cancelled')),
    file_state TEXT,
    description TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    completed_at BIGINT,
    size_bytes BIGINT,
    raw_bytes BIGINT,
    sha256 TEXT,
    tool_version TEXT,
    pinned BIGINT NOT NULL DEFAULT 0,
    labels TEXT NOT NULL,
    failure_kind TEXT,
    failure_message TEXT,
    failure_hint TEXT,
    failure_detail TEXT,
    -- What lists are sorted and searched by; never null, because engines
    -- disagree on where nulls sort.
    size_order BIGINT NOT NULL DEFAULT -1,
    duration_order BIGINT NOT NULL DEFAULT -1,
    search TEXT NOT NULL,
    CHECK ((status = 'failed') = (failure_kind IS NOT NULL)),
    CHECK ((status = 'completed') = (file_state IS NOT NULL)),
    CHECK (status <> 'completed'
        OR (filename IS NOT NULL AND sha256 IS NOT NULL AND size_bytes IS NOT NULL))
);
-- Not unique: a file that was lost may have left its name to a later one, and
-- recording a backup that is whole on the disk must never fail on its name.
CREATE INDEX backups_by_filename ON backups (filename) WHERE filename IS NOT NULL;
-- Every list runs over one of these alone; only the rows of the page that is
-- shown are read whole. The one of texts is the widest, and stands apart so
-- that the others stay narrow.
CREATE INDEX backups_by_created ON backups (created_at, id, status);
CREATE INDEX backups_by_text ON backups
    (created_at, id, search, status, trigger_kind, database_slug);
CREATE INDEX backups_by_status ON backups (status, created_at, id, trigger_kind, database_slug);
CREATE INDEX backups_by_database ON backups
    (database_id, created_at, id, status, file_state, trigger_kind);
CREATE INDEX backups_by_slug ON backups
    (database_slug, created_at, id, status, trigger_kind, size_order, duration_order);
CREATE INDEX backups_by_trigger ON backups (trigger_kind, created_at, id, status);
CREATE INDEX backups_by_size ON backups
    (size_order, id, status, trigger_kind, database_slug, created_at);
CREATE INDEX backups_by_duration ON backups
    (duration_order, id, status, trigger_kind, database_slug, created_at);
-- Every minute all of these are held against the folder, so it has all that
-- needs.
CREATE INDEX backups_with_file ON backups (id, filename, size_bytes, file_state)
    WHERE file_state IS NOT NULL;
CREATE INDEX backups_damaged ON backups (created_at, id)
    WHERE file_state IN ('missing', 'corrupt');

-- How many backups there are of each sort, and the bytes of their files, so
-- that no count walks over all of them. The triggers keep it in the
-- transaction of every change; nothing else writes to it. A sort of which
-- there are none left keeps its row with zeros.
CREATE TABLE backup_counts (
    database_id TEXT NOT NULL,
    database_slug TEXT NOT NULL,
    trigger_kind TEXT NOT NULL,
    status TEXT NOT NULL,
    -- Empty where there is no file.
    file_state TEXT NOT NULL,
    backups BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (database_id, database_slug, trigger_kind, status, file_state)
);

CREATE TRIGGER backup_is_counted AFTER INSERT ON backups
BEGIN
    INSERT INTO backup_counts
    VALUES (NEW.database_id, NEW.database_slug, NEW.trigger_kind, NEW.status,
        coalesce(NEW.file_state, ''), 1, coalesce(NEW.size_bytes, 0))
    ON CONFLICT (database_id, database_slug, trigger_kind, status, file_state)
    DO UPDATE SET backups = backups + 1, bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER backup_is_counted_no_more AFTER DELETE ON backups
BEGIN
    UPDATE backup_counts
    SET backups = backups - 1, bytes = bytes - coalesce(OLD.size_bytes, 0)
    WHERE database_id = OLD.database_id AND database_slug = OLD.database_slug
        AND trigger_kind = OLD.trigger_kind AND status = OLD.status
        AND file_state = coalesce(OLD.file_state, '');
END;

CREATE TRIGGER backup_is_counted_anew AFTER UPDATE OF
    database_id, database_slug, trigger_kind, status, file_state, size_bytes ON backups
BEGIN
    UPDATE backup_counts
    SET backups = backups - 1, bytes = bytes - coalesce(OLD.size_bytes, 0)
    WHERE database_id = OLD.database_id AND database_slug = OLD.database_slug
        AND trigger_kind = OLD.trigger_kind AND status = OLD.status
        AND file_state = coalesce(OLD.file_state, '');
    INSERT INTO backup_counts
    VALUES (NEW.database_id, NEW.database_slug, NEW.trigger_kind, NEW.status,
        coalesce(NEW.file_state, ''), 1, coalesce(NEW.size_bytes, 0))
    ON CONFLICT (database_id, database_slug, trigger_kind, status, file_state)
    DO UPDATE SET backups = backups + 1, bytes = bytes + excluded.bytes;
END;

-- What a file holds; apart from the record, so that lists stay narrow.
CREATE TABLE backup_facts (
    backup_id TEXT NOT NULL PRIMARY KEY REFERENCES backups (id) ON DELETE CASCADE,
    tables TEXT NOT NULL,
    source TEXT NOT NULL,
    drop_section_end BIGINT
);

CREATE TABLE backup_logs (
    backup_id TEXT NOT NULL REFERENCES backups (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    level TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (backup_id, seq)
);

CREATE TABLE tombstones (
    backup_id TEXT NOT NULL PRIMARY KEY,
    filename TEXT,
    sha256 TEXT,
    deleted_at BIGINT NOT NULL,
    deleted_by TEXT NOT NULL
);

CREATE TABLE jobs (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    backup_id TEXT NOT NULL UNIQUE REFERENCES backups (id) ON DELETE CASCADE,
    database_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    worker TEXT,
    fence BIGINT NOT NULL,
    beats BIGINT NOT NULL,
    renewed_at BIGINT,
    expires_at BIGINT,
    cancel_requested BIGINT NOT NULL,
    progress TEXT
);
CREATE INDEX jobs_by_created ON jobs (created_at, id);
-- One run per database at a time, whatever a query forgets.
CREATE UNIQUE INDEX jobs_one_per_database ON jobs (database_id) WHERE worker IS NOT NULL;

CREATE TABLE idempotency_keys (
    user_id TEXT NOT NULL,
    request_key TEXT NOT NULL,
    request_digest BLOB NOT NULL,
    backup_id TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, request_key)
);
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);

CREATE TABLE audit (
    seq BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    actor_kind TEXT NOT NULL,
    action TEXT NOT NULL,
    object_kind TEXT,
    object_id TEXT,
    object_name TEXT,
    outcome TEXT NOT NULL,
    remote TEXT,
    details TEXT NOT NULL,
    prev_hash BLOB NOT NULL,
    hash BLOB NOT NULL
);
CREATE INDEX audit_by_object ON audit (object_id, seq);

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
