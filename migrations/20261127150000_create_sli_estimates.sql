-- Up to which minute, that included, counts of SLIs were made from a sample of what came: they are estimates.
CREATE TABLE sli_estimates (
    sli_id integer NOT NULL PRIMARY KEY,
    minute integer NOT NULL
);
