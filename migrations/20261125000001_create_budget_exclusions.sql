-- Time that the budgets of an SLO, or of all SLOs of a service, leave out. Never deleted: what was taken back stays with who
-- did it, because budgets that were told meanwhile rested on it. A coordination table.
CREATE TABLE budget_exclusions (
    id         uuid   NOT NULL PRIMARY KEY,
    scope      text   NOT NULL CHECK (scope IN ('slo', 'service')),
    name       text   NOT NULL,
    from_ns    bigint NOT NULL,
    to_ns      bigint NOT NULL CHECK (to_ns > from_ns),
    rrule      text,
    time_zone  text   NOT NULL,
    reason     text   NOT NULL,
    author     text   NOT NULL,
    created_ns bigint NOT NULL,
    removed_ns bigint,
    removed_by text,
    effects    jsonb  NOT NULL,
    CHECK ((removed_ns IS NULL) = (removed_by IS NULL))
);
CREATE INDEX budget_exclusions_scope ON budget_exclusions (scope, name, created_ns);
