#include "common/messaging/service_private.h"

const struct migration service_migrations[] = {
    {1,
     /* What has been handled. One consumer a database, so the message id is the whole key. */
     "CREATE TABLE inbox(message_id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) WITHOUT ROWID;"
     /* What has not been confirmed yet, and nothing else. AUTOINCREMENT: a position is never used
      * twice, so that a late mark cannot hit a younger row. */
     "CREATE TABLE outbox(position INTEGER PRIMARY KEY AUTOINCREMENT, message_id TEXT NOT NULL, "
     "exchange TEXT NOT NULL, type TEXT NOT NULL, subject TEXT NOT NULL, "
     "traceparent TEXT NOT NULL, time_ms INTEGER NOT NULL, body BLOB NOT NULL, "
     "owner TEXT NOT NULL);"
     "CREATE INDEX outbox_subject ON outbox(subject, owner);"
     /* Outside calls whose answer has not been accepted. due_ms: when anybody may take it up. */
     "CREATE TABLE job(kind TEXT NOT NULL, key TEXT NOT NULL, request TEXT NOT NULL, "
     "attempts INTEGER NOT NULL, due_ms INTEGER NOT NULL, owner TEXT NOT NULL, "
     "PRIMARY KEY(kind, key)) WITHOUT ROWID;"
     "CREATE INDEX job_due ON job(due_ms);"
     "CREATE TABLE deferred(message_id TEXT PRIMARY KEY, queue TEXT NOT NULL, body BLOB NOT NULL, "
     "reason TEXT NOT NULL, attempts INTEGER NOT NULL, due_ms INTEGER NOT NULL);"
     "CREATE INDEX deferred_due ON deferred(due_ms);"
     "CREATE TABLE quarantine(number INTEGER PRIMARY KEY AUTOINCREMENT, message_id TEXT NOT NULL, "
     "queue TEXT NOT NULL, body BLOB NOT NULL, reason TEXT NOT NULL, attempts INTEGER NOT NULL, "
     "at_ms INTEGER NOT NULL);"
     /* How often a redelivered message has been run alone: one that kills the process is found here. */
     "CREATE TABLE alone(message_id TEXT PRIMARY KEY, attempts INTEGER NOT NULL) WITHOUT ROWID"},
    /* An answer goes on with the trace of the message that asked for it. */
    {2, "ALTER TABLE job ADD COLUMN traceparent TEXT NOT NULL DEFAULT ''"},
    /* Positions come from outbox_position, once a transaction: AUTOINCREMENT and RETURNING cost four
     * times the row itself. And no index: the table is as short as what is unsent. */
    {3, "ALTER TABLE outbox RENAME TO outbox_before;"
        "CREATE TABLE outbox(position INTEGER PRIMARY KEY, message_id TEXT NOT NULL, "
        "exchange TEXT NOT NULL, type TEXT NOT NULL, subject TEXT NOT NULL, "
        "traceparent TEXT NOT NULL, time_ms INTEGER NOT NULL, body BLOB NOT NULL, "
        "owner TEXT NOT NULL);"
        "INSERT INTO outbox SELECT position, message_id, exchange, type, subject, traceparent, "
        "time_ms, "
        "body, owner FROM outbox_before;"
        "CREATE TABLE outbox_position(last INTEGER NOT NULL);"
        "INSERT INTO outbox_position SELECT coalesce(max(seq), 0) FROM sqlite_sequence "
        "WHERE name = 'outbox_before';"
        "DROP TABLE outbox_before"},
    /* When a wait began: before that it cannot be now, unless the clock was put back. */
    {4, "ALTER TABLE job ADD COLUMN since_ms INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE deferred ADD COLUMN since_ms INTEGER NOT NULL DEFAULT 0"},
    /* When a row was put in: what is said again has the time of its first saying. */
    {5, "ALTER TABLE outbox ADD COLUMN since_ms INTEGER NOT NULL DEFAULT 0;"
        "UPDATE outbox SET since_ms = time_ms"},
    /* What may have to be said again, as it went out. Append-only; its position is the outbox's, so
     * that neighbours in time are neighbours here, and nothing needs an index on a random id. */
    {6, "CREATE TABLE fact(position INTEGER PRIMARY KEY, message_id TEXT NOT NULL, "
        "exchange TEXT NOT NULL, type TEXT NOT NULL, subject TEXT NOT NULL, "
        "traceparent TEXT NOT NULL, time_ms INTEGER NOT NULL, body BLOB NOT NULL)"},
    /* Facts that came back because the log was away. */
    {7, "CREATE TABLE unlogged(position INTEGER PRIMARY KEY, message_id TEXT NOT NULL, "
        "exchange TEXT NOT NULL, type TEXT NOT NULL, subject TEXT NOT NULL, "
        "traceparent TEXT NOT NULL, time_ms INTEGER NOT NULL, body BLOB NOT NULL)"},
};
const size_t service_migration_count = sizeof service_migrations / sizeof service_migrations[0];
