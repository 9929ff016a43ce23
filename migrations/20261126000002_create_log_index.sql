-- Where log records of a trace, or with an ID, are stored: one row for each of them and segment. `key` is the trace id, or
-- 16 bytes of a hash of an ID and its kind. Partitions are made by the binary, with those of `segments`.
CREATE TABLE log_index (
    bucket     smallint NOT NULL,
    slot       integer  NOT NULL,
    part       smallint NOT NULL,
    key        uuid     NOT NULL,
    segment_id bigint   NOT NULL,
    from_ns    bigint   NOT NULL,
    to_ns      bigint   NOT NULL,
    records    integer  NOT NULL,
    errors     integer  NOT NULL
) PARTITION BY RANGE (slot, part);
CREATE INDEX log_index_key ON log_index (bucket, key);
CREATE INDEX log_index_segment ON log_index (bucket, segment_id);
