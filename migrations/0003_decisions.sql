-- Decisions of the policy engine, for replays and explanations: masked events in OPA's format, without a token or
-- secret. Numbers are consecutive where nothing was swept; the row `head` hands them out.
CREATE TABLE decisions (
    number BIGINT NOT NULL PRIMARY KEY,
    id     TEXT   NOT NULL,
    at     BIGINT NOT NULL,
    path   TEXT   NOT NULL,
    event  TEXT   NOT NULL
);
CREATE INDEX decisions_id ON decisions (id);
CREATE INDEX decisions_at ON decisions (at);

CREATE TABLE decisions_head (
    id     BIGINT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL
);
INSERT INTO decisions_head (id, number) VALUES (1, 0);
