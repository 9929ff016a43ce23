-- Small tables that several instances agree over. In a distributed database they stay on one node.

-- Who may do what only one instance should do, and until when. `fence` grows with every change of holder, so that a
-- holder that slept through its expiry can be told apart from the present one.
CREATE TABLE leases (
    name       text        PRIMARY KEY,
    holder     uuid        NOT NULL,
    fence      bigint      NOT NULL,
    expires_at timestamptz NOT NULL
);

-- The version of the set of SLIs that records are matched against. Grows with every change of any SLI.
CREATE TABLE sli_set (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version  integer NOT NULL CHECK (version >= 0)
);
INSERT INTO sli_set (version) VALUES (0);

-- OpenSLO documents as applied.
CREATE TABLE documents (
    kind       text        NOT NULL,
    name       text        NOT NULL,
    body       text        NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (kind, name)
);

-- One row per objective. `sli_id` keys its counts in the rollups: a changed indicator gets a new one, a changed target
-- or window keeps it and with it all history.
CREATE TABLE slos (
    name          text        PRIMARY KEY,
    document_name text        NOT NULL,
    sli_id        integer     NOT NULL UNIQUE,
    indicator     text        NOT NULL,
    since_version integer     NOT NULL,
    updated_at    timestamptz NOT NULL
);
