-- What passes between services, by the minute of its end: the service map. A flush marks the minutes that its spans touch in
-- `edge_mark`; a marked minute is counted anew from all stored spans when it is due, which replaces its rows in `edge_minute` and takes
-- the marks away in the same transaction. `age` is how many seconds after its end a minute was counted last. `kind` has the numbers of
-- slowburn_domain::service_map::EdgeKind.
CREATE TABLE edge_mark (
    bucket smallint NOT NULL,
    minute integer  NOT NULL
);
CREATE INDEX edge_mark_minute ON edge_mark (bucket, minute);

CREATE TABLE edge_counted (
    bucket smallint NOT NULL,
    minute integer  NOT NULL,
    age    integer  NOT NULL CHECK (age > 0),
    PRIMARY KEY (bucket, minute)
);

CREATE TABLE edge_minute (
    bucket smallint NOT NULL,
    minute integer  NOT NULL,
    kind   smallint NOT NULL,
    caller text     NOT NULL,
    callee text     NOT NULL,
    count  bigint   NOT NULL CHECK (count > 0),
    errors bigint   NOT NULL CHECK (errors BETWEEN 0 AND count),
    sketch bytea    NOT NULL,
    PRIMARY KEY (bucket, minute, kind, caller, callee)
);
