-- Tickets and limits for installations that share a database but have no Redis.

-- Short-lived values that are taken once; `id` is the kind and the SHA-256 of the ticket's id.
CREATE TABLE tickets (
    id    TEXT   NOT NULL PRIMARY KEY,
    value TEXT   NOT NULL,
    ends  BIGINT NOT NULL
);
CREATE INDEX tickets_ends ON tickets (ends);

-- Counters by key, in windows that start with their first event.
CREATE TABLE limits (
    id   TEXT   NOT NULL PRIMARY KEY,
    hits BIGINT NOT NULL,
    ends BIGINT NOT NULL
);
CREATE INDEX limits_ends ON limits (ends);
