-- Events that others send, as CloudEvents, beside those that Slowburn tells of itself. `id` is made from `source` and the
-- sender's id, so that an event that comes twice is known.
ALTER TABLE events
    ADD COLUMN event_id       text,
    ADD COLUMN received_ns    bigint,
    ADD COLUMN correlation_id text,
    ADD COLUMN trace_id       uuid,
    ADD COLUMN extensions     jsonb;
CREATE UNIQUE INDEX events_id ON events (bucket, id);
CREATE INDEX events_time ON events (bucket, time_ns, id);
CREATE INDEX events_correlation ON events (bucket, correlation_id, time_ns) WHERE correlation_id IS NOT NULL;
