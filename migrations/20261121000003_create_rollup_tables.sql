-- Counts that decide. A flush appends to the delta tables and updates nothing; one folder per bucket adds deltas to the
-- minute, hour and day rows and removes them in the same transaction; readers add both in one statement.

CREATE TABLE rollup_delta (
    bucket smallint NOT NULL,
    sli_id integer  NOT NULL,
    minute integer  NOT NULL,
    good   bigint   NOT NULL,
    total  bigint   NOT NULL CHECK (total >= good AND good >= 0)
);
CREATE INDEX rollup_delta_sli ON rollup_delta (bucket, sli_id);

CREATE TABLE rollup_minute (
    bucket smallint NOT NULL,
    sli_id integer  NOT NULL,
    minute integer  NOT NULL,
    good   bigint   NOT NULL,
    total  bigint   NOT NULL,
    PRIMARY KEY (bucket, sli_id, minute)
);

-- `seen` has bit m set when a record fell into minute m of the hour: presence for coverage, at eight bytes an hour.
CREATE TABLE rollup_hour (
    bucket smallint NOT NULL,
    sli_id integer  NOT NULL,
    hour   integer  NOT NULL,
    good   bigint   NOT NULL,
    total  bigint   NOT NULL,
    seen   bigint   NOT NULL,
    PRIMARY KEY (bucket, sli_id, hour)
);

CREATE TABLE rollup_day (
    bucket smallint NOT NULL,
    sli_id integer  NOT NULL,
    day    integer  NOT NULL,
    good   bigint   NOT NULL,
    total  bigint   NOT NULL,
    PRIMARY KEY (bucket, sli_id, day)
);

-- Rate, errors and duration of every operation, kept as long as SLO history. `sketch` is a mergeable histogram of
-- durations (domain::sketch).
CREATE TABLE red_delta (
    bucket    smallint NOT NULL,
    service   text     NOT NULL,
    operation text     NOT NULL,
    kind      smallint NOT NULL,
    status    smallint NOT NULL,
    minute    integer  NOT NULL,
    count     bigint   NOT NULL CHECK (count > 0),
    sketch    bytea    NOT NULL
);
CREATE INDEX red_delta_minute ON red_delta (bucket, minute);

CREATE TABLE red_minute (
    bucket    smallint NOT NULL,
    service   text     NOT NULL,
    operation text     NOT NULL,
    kind      smallint NOT NULL,
    status    smallint NOT NULL,
    minute    integer  NOT NULL,
    count     bigint   NOT NULL,
    sketch    bytea    NOT NULL,
    PRIMARY KEY (bucket, minute, service, operation, kind, status)
);
