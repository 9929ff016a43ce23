-- What was folded lately, so that readers who keep counts in memory read only what is new to them.

-- Deltas are found by the transaction that wrote them. Folds delete them all the time, and an index over anything else
-- would lead readers past every delta that was deleted and not vacuumed yet.
ALTER TABLE rollup_delta ADD COLUMN xact xid8 NOT NULL DEFAULT pg_current_xact_id();
DROP INDEX rollup_delta_sli;
CREATE INDEX rollup_delta_xact ON rollup_delta (bucket, xact);

-- How often a bucket was folded, and the first transaction whose deltas may not be folded. Locked by whoever folds, so that
-- folds become visible in their order.
CREATE TABLE rollup_folds (
    bucket smallint NOT NULL PRIMARY KEY,
    fold   bigint   NOT NULL,
    since  xid8     NOT NULL
);

-- Counts that a fold added to the rollup tables. Each fold removes those of long ago.
CREATE TABLE rollup_folded (
    bucket smallint NOT NULL,
    fold   bigint   NOT NULL,
    sli_id integer  NOT NULL,
    minute integer  NOT NULL,
    good   bigint   NOT NULL,
    total  bigint   NOT NULL
);
CREATE INDEX rollup_folded_fold ON rollup_folded (bucket, fold);

ALTER TABLE rollup_folded SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
ALTER TABLE rollup_folds SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
