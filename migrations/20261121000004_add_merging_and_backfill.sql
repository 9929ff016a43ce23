-- Merging and backfill.

-- Segments that were matched against an older set of SLIs are found by it.
CREATE INDEX segments_sli_version ON segments (bucket, sli_version);

-- Deltas say which set of SLIs their flush matched against, so that the past of a new SLI ends exactly where counting at
-- the door begins.
ALTER TABLE red_delta ADD COLUMN sli_version integer NOT NULL DEFAULT 0;

-- SLIs whose past is counted from the RED rollup: they ask for service, operation, kind and status alone. Written in the
-- transaction that raises the SLI set to `since_version`. Until `is_done` deltas of that version and later are not folded.
CREATE TABLE red_backfills (
    bucket        smallint NOT NULL,
    sli_id        integer  NOT NULL,
    since_version integer  NOT NULL,
    is_done       boolean  NOT NULL DEFAULT false,
    PRIMARY KEY (bucket, sli_id)
);

-- These live by being written and deleted all the time: vacuum them by number of rows, not by share of the table.
ALTER TABLE rollup_delta SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
ALTER TABLE red_delta SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
