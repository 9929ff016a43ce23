-- SLOs by group: what an SLO is grouped by since which version of the SLI set, and its groups, which come as their values do
-- and go with the SLO. A coordination table.
ALTER TABLE slos
    ADD COLUMN grouping text,
    ADD COLUMN grouping_since_version integer,
    ADD CHECK ((grouping IS NULL) = (grouping_since_version IS NULL));

CREATE TABLE slo_groups (
    slo         text        NOT NULL,
    value       text        NOT NULL,
    -- Key of its counts, like those of SLOs.
    sli_id      integer     NOT NULL UNIQUE,
    admitted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (slo, value)
);
