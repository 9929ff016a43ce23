-- Searches that people keep under a name, by the page they belong to.
CREATE TABLE saved_views (
    page     text   NOT NULL,
    name     text   NOT NULL,
    query    text   NOT NULL,
    saved_ns bigint NOT NULL,
    PRIMARY KEY (page, name)
);
