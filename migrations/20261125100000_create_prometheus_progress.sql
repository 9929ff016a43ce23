-- How far each SLI of an external Prometheus is counted. Moved on in the transaction that writes the counts, from where the
-- writer found it, so that a minute is counted once whoever counts and whoever is killed. A coordination table.
CREATE TABLE prometheus_progress (
    sli_id        integer          NOT NULL PRIMARY KEY,
    -- The first minute that is not counted yet.
    next_minute   integer          NOT NULL,
    -- The last value of each series.
    series        bytea            NOT NULL,
    good_rest     double precision NOT NULL CHECK (good_rest >= 0 AND good_rest < 1),
    bad_rest      double precision NOT NULL CHECK (bad_rest >= 0 AND bad_rest < 1),
    -- The last minute in which the part was more than the total.
    exceeded      integer,
    failing_since bigint,
    failure       text,
    CHECK ((failing_since IS NULL) = (failure IS NULL))
);
