-- What the series in segments of metric points are: one row for each series, bucket and arrival slot. Partitions are made by the
-- binary, with those of `segments`; rows go to the sealed part of a slot. `kind` and `temporality` have the numbers of OTLP's
-- forms as `slowburn_domain::metric` gives them; `attributes` and `source` are JSON objects.
CREATE TABLE metric_series (
    bucket       smallint NOT NULL,
    slot         integer  NOT NULL,
    part         smallint NOT NULL,
    series       bigint   NOT NULL,
    name         text     NOT NULL,
    unit         text     NOT NULL,
    description  text     NOT NULL,
    kind         smallint NOT NULL,
    temporality  smallint NOT NULL,
    is_monotonic boolean  NOT NULL,
    service      text     NOT NULL,
    attributes   text     NOT NULL,
    source       text     NOT NULL,
    PRIMARY KEY (bucket, series, slot, part)
) PARTITION BY RANGE (slot, part);
CREATE INDEX metric_series_name ON metric_series (bucket, name);
