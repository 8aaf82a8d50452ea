-- The embedded broker's whole disk state.
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS topics (name TEXT PRIMARY KEY, config TEXT NOT NULL) WITHOUT ROWID;
-- A partition whose topic is gone is purged, then its row goes: ids are not used again while batches carry them.
CREATE TABLE IF NOT EXISTS partitions (
    id INTEGER PRIMARY KEY, topic TEXT NOT NULL, idx INTEGER NOT NULL,
    start INTEGER NOT NULL DEFAULT 0, cleaned INTEGER NOT NULL DEFAULT 0
);
-- id = partition << 43 | last offset; horizon = when the tombstones of a compacted batch may go (ms).
CREATE TABLE IF NOT EXISTS batches (
    id INTEGER PRIMARY KEY, max_timestamp INTEGER NOT NULL, horizon INTEGER, data BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS batches_by_time ON batches (id >> 43, max_timestamp);
CREATE INDEX IF NOT EXISTS batches_by_horizon ON batches (id >> 43, horizon) WHERE horizon IS NOT NULL;
CREATE TABLE IF NOT EXISTS producers (
    part INTEGER NOT NULL, pid INTEGER NOT NULL, seen INTEGER NOT NULL, state BLOB NOT NULL,
    PRIMARY KEY (part, pid)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS groups (id TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS offsets (
    grp TEXT NOT NULL, topic TEXT NOT NULL, part INTEGER NOT NULL,
    position INTEGER NOT NULL, metadata TEXT NOT NULL,
    PRIMARY KEY (grp, topic, part)
) WITHOUT ROWID;
