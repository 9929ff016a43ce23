WITH chosen AS MATERIALIZED (
    SELECT ctid FROM rollup_delta WHERE bucket = $1 AND xact >= coalesce(
        (SELECT since FROM rollup_folds WHERE bucket = $1 AND since <= pg_snapshot_xmax(pg_current_snapshot())), '0'::xid8)
    ORDER BY xact LIMIT $2
), moved AS (
    DELETE FROM rollup_delta WHERE bucket = $1 AND ctid = ANY (ARRAY(SELECT ctid FROM chosen)) RETURNING sli_id, minute, good, total
), numbered AS (
    -- What this statement sees is folded now, unless there was more than its limit; what it does not see was written by a
    -- transaction that still runs, or later.
    INSERT INTO rollup_folds AS f (bucket, fold, since)
    SELECT $1, 1, CASE WHEN (SELECT count(*) FROM chosen) < $2 THEN pg_snapshot_xmin(pg_current_snapshot()) ELSE '0' END
    WHERE EXISTS (SELECT FROM moved)
    ON CONFLICT (bucket) DO UPDATE
        SET fold = f.fold + 1, since = CASE WHEN excluded.since > '0'::xid8 THEN excluded.since ELSE f.since END
    RETURNING fold
), sums AS (
    SELECT sli_id, minute, sum(good) AS good, sum(total) AS total FROM moved GROUP BY sli_id, minute
), minutes AS (
    INSERT INTO rollup_minute AS r (bucket, sli_id, minute, good, total)
    SELECT $1, sli_id, minute, good, total FROM sums
    ON CONFLICT (bucket, sli_id, minute) DO UPDATE SET good = r.good + excluded.good, total = r.total + excluded.total
), hours AS (
    INSERT INTO rollup_hour AS r (bucket, sli_id, hour, good, total, seen)
    SELECT $1, sli_id, minute / 60, sum(good), sum(total), bit_or(1::bigint << (minute % 60)) FROM sums GROUP BY sli_id, minute / 60
    ON CONFLICT (bucket, sli_id, hour) DO UPDATE SET good = r.good + excluded.good, total = r.total + excluded.total, seen = r.seen | excluded.seen
), days AS (
    INSERT INTO rollup_day AS r (bucket, sli_id, day, good, total)
    SELECT $1, sli_id, minute / 1440, sum(good), sum(total) FROM sums GROUP BY sli_id, minute / 1440
    ON CONFLICT (bucket, sli_id, day) DO UPDATE SET good = r.good + excluded.good, total = r.total + excluded.total
), logged AS (
    INSERT INTO rollup_folded (bucket, fold, sli_id, minute, good, total)
    SELECT $1, numbered.fold, sli_id, minute, good, total FROM sums, numbered
), forgotten AS (
    DELETE FROM rollup_folded AS f USING numbered WHERE f.bucket = $1 AND f.fold <= numbered.fold - $3
)
SELECT count(*) FROM moved
