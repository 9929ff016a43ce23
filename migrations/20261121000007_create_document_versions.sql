-- What each document was and became: one row for every change, so that nobody has to ask who changed a promise and why.
-- `body` is the text from then on, or the last one of a document that was deleted.
CREATE TABLE document_versions (
    kind        text        NOT NULL,
    name        text        NOT NULL,
    number      integer     NOT NULL,
    body        text        NOT NULL,
    change      text        NOT NULL CHECK (change IN ('created', 'changed', 'deleted')),
    differences text[]      NOT NULL,
    author      text,
    reason      text,
    applied_at  timestamptz NOT NULL,
    PRIMARY KEY (kind, name, number)
);

-- What is there already is the first version of itself.
INSERT INTO document_versions (kind, name, number, body, change, differences, applied_at)
SELECT kind, name, 1, body, 'created', '{}', updated_at FROM documents;
