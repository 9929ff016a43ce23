-- Agents that promise to be heard of: when the next word of each is due, and whether it is overdue.
CREATE TABLE agents (
    name             text    NOT NULL PRIMARY KEY,
    interval_seconds integer NOT NULL CHECK (interval_seconds > 0),
    registered_ns    bigint  NOT NULL,
    heartbeat_ns     bigint,
    due_ns           bigint  NOT NULL,
    is_overdue       boolean NOT NULL DEFAULT false
);
CREATE INDEX agents_due ON agents (due_ns) WHERE NOT is_overdue;
