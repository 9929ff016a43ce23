WITH moved AS (
    DELETE FROM rollup_delta
    WHERE bucket = $1 AND ctid = ANY (ARRAY(SELECT ctid FROM rollup_delta WHERE bucket = $1 LIMIT $2))
    RETURNING sli_id, minute, good, total
), minutes AS (
    INSERT INTO rollup_minute AS r (bucket, sli_id, minute, good, total)
    SELECT $1, sli_id, minute, sum(good), sum(total) FROM moved GROUP BY sli_id, minute
    ON CONFLICT (bucket, sli_id, minute) DO UPDATE SET good = r.good + excluded.good, total = r.total + excluded.total
), hours AS (
    INSERT INTO rollup_hour AS r (bucket, sli_id, hour, good, total, seen)
    SELECT $1, sli_id, minute / 60, sum(good), sum(total), bit_or(1::bigint << (minute % 60)) FROM moved GROUP BY sli_id, minute / 60
    ON CONFLICT (bucket, sli_id, hour) DO UPDATE SET good = r.good + excluded.good, total = r.total + excluded.total, seen = r.seen | excluded.seen
), days AS (
    INSERT INTO rollup_day AS r (bucket, sli_id, day, good, total)
    SELECT $1, sli_id, minute / 1440, sum(good), sum(total) FROM moved GROUP BY sli_id, minute / 1440
    ON CONFLICT (bucket, sli_id, day) DO UPDATE SET good = r.good + excluded.good, total = r.total + excluded.total
)
SELECT count(*) FROM moved
