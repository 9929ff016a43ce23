-- Incidents and the event log.

-- One row is an incident of an SLO: open until `closed_ns`, and an SLO has one open incident at most.
CREATE TABLE incidents (
    id              uuid        NOT NULL PRIMARY KEY,
    slo             text        NOT NULL,
    service         text        NOT NULL,
    opened_ns       bigint      NOT NULL,
    closed_ns       bigint,
    tier            text        NOT NULL CHECK (tier IN ('page', 'ticket')),
    worst_tier      text        NOT NULL CHECK (worst_tier IN ('page', 'ticket')),
    is_measured     boolean     NOT NULL DEFAULT true,
    acknowledged_by text
);
CREATE UNIQUE INDEX incidents_open ON incidents (slo) WHERE closed_ns IS NULL;
CREATE INDEX incidents_opened ON incidents (opened_ns, id);
CREATE INDEX incidents_slo ON incidents (slo, opened_ns, id);

-- What happened to an incident, in its order.
CREATE TABLE incident_changes (
    incident_id uuid        NOT NULL,
    number      integer     NOT NULL,
    at_ns       bigint      NOT NULL,
    step        text        NOT NULL,
    tier        text        NOT NULL,
    reason      text        NOT NULL,
    author      text,
    PRIMARY KEY (incident_id, number)
);

-- The last state of every SLO's alert, so that a change is noticed once, whoever evaluates.
CREATE TABLE alert_states (
    slo      text   NOT NULL PRIMARY KEY,
    alert    text   NOT NULL,
    since_ns bigint NOT NULL
);

-- Everything that others are told of, as CloudEvents. Append-only; `position` counts a bucket's events without gaps, in the
-- order in which they were committed, because whoever appends holds the bucket's row.
CREATE TABLE event_positions (
    bucket   smallint NOT NULL PRIMARY KEY,
    position bigint   NOT NULL
);
CREATE TABLE events (
    bucket   smallint    NOT NULL,
    position bigint      NOT NULL,
    id       uuid        NOT NULL,
    type     text        NOT NULL,
    source   text        NOT NULL,
    subject  text        NOT NULL,
    time_ns  bigint      NOT NULL,
    data     jsonb       NOT NULL,
    PRIMARY KEY (bucket, position)
);
