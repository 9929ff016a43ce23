-- Telemetry: columnar segments and what is needed to find them. Every key begins with `bucket`, so that one flush
-- touches one bucket and the tables can be distributed by it; there are no sequences, triggers or foreign keys.
--
-- Partitions are made by the binary, two for each arrival slot: `part` 0 is the open one (small segments, merged when
-- the slot closes, then dropped), 1 the sealed one. `slot` is the UTC minute in which the arrival slot begins.

CREATE TABLE segments (
    bucket      smallint NOT NULL,
    slot        integer  NOT NULL,
    part        smallint NOT NULL,
    id          bigint   NOT NULL,
    signal      smallint NOT NULL,
    from_ns     bigint   NOT NULL,
    to_ns       bigint   NOT NULL,
    records     integer  NOT NULL CHECK (records > 0),
    errors      integer  NOT NULL,
    sli_version integer  NOT NULL,
    services    text[]   NOT NULL,
    bloom       bytea    NOT NULL,
    body        bytea    NOT NULL,
    PRIMARY KEY (bucket, id, slot, part)
) PARTITION BY RANGE (slot, part);
-- Parquet is compressed already; compressing it again would only cost time.
ALTER TABLE segments ALTER COLUMN body SET STORAGE EXTERNAL;

-- One row per trace and segment. A trace is the fold of its rows.
CREATE TABLE trace_index (
    bucket        smallint NOT NULL,
    slot          integer  NOT NULL,
    part          smallint NOT NULL,
    trace_id      uuid     NOT NULL,
    segment_id    bigint   NOT NULL,
    start_ns      bigint   NOT NULL,
    end_ns        bigint   NOT NULL,
    root_start_ns bigint   NOT NULL,
    root_class    bigint   NOT NULL,
    spans         integer  NOT NULL,
    errors        integer  NOT NULL,
    root_is_known boolean  NOT NULL,
    classes       bigint[] NOT NULL,
    ids           text[]
) PARTITION BY RANGE (slot, part);
CREATE INDEX trace_index_trace ON trace_index (bucket, trace_id);
CREATE INDEX trace_index_start ON trace_index (bucket, start_ns);

-- Correlation, project and execution IDs. `kind`: 0 correlation, 1 project, 2 execution.
CREATE TABLE correlation_index (
    bucket   smallint NOT NULL,
    slot     integer  NOT NULL,
    part     smallint NOT NULL,
    kind     smallint NOT NULL,
    value    text     NOT NULL,
    trace_id uuid     NOT NULL,
    start_ns bigint   NOT NULL
) PARTITION BY RANGE (slot, part);
CREATE INDEX correlation_index_value ON correlation_index (bucket, value, kind, start_ns);

-- Newest bad events of every SLI by trace: the way from an SLO to the traces that burned its budget. A flush files a
-- bounded number for each SLI.
CREATE TABLE bad_index (
    bucket   smallint NOT NULL,
    slot     integer  NOT NULL,
    part     smallint NOT NULL,
    sli_id   integer  NOT NULL,
    trace_id uuid     NOT NULL,
    start_ns bigint   NOT NULL
) PARTITION BY RANGE (slot, part);
CREATE INDEX bad_index_sli ON bad_index (bucket, sli_id, start_ns);

-- Dictionary of (service, operation, status), so that an index row carries eight bytes for each.
CREATE TABLE span_classes (
    bucket    smallint NOT NULL,
    class     bigint   NOT NULL,
    service   text     NOT NULL,
    operation text     NOT NULL,
    status    smallint NOT NULL,
    PRIMARY KEY (bucket, class)
);
CREATE INDEX span_classes_service ON span_classes (bucket, service);

-- Requests already stored, so that a retry stores nothing twice. Lives as long as raw records.
CREATE TABLE request_keys (
    bucket smallint NOT NULL,
    key    uuid     NOT NULL,
    slot   integer  NOT NULL,
    PRIMARY KEY (bucket, key)
);
CREATE INDEX request_keys_slot ON request_keys (bucket, slot);
