WITH moved AS (
    DELETE FROM rollup_delta
    WHERE bucket = $1 AND ctid = ANY (ARRAY(SELECT ctid FROM rollup_delta WHERE bucket = $1 LIMIT $2))
    RETURNING sli_id, minute, good, total
), numbered AS (
    INSERT INTO rollup_folds AS f (bucket, fold) SELECT $1, 1 WHERE EXISTS (SELECT FROM moved)
    ON CONFLICT (bucket) DO UPDATE SET fold = f.fold + 1
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
