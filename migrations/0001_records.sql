-- The same text runs on SQLite and on PostgreSQL. Times are seconds since the epoch; digests are hex;
-- binary values are base64. Nothing here is a bearer secret: ids are kept as their SHA-256.

-- One sign-in. `sid` is the first half of `id_hash` and its public name.
CREATE TABLE sessions (
    id_hash       TEXT   NOT NULL PRIMARY KEY,
    sid           TEXT   NOT NULL UNIQUE,
    assertion     TEXT   NOT NULL,
    started       BIGINT NOT NULL,
    ends          BIGINT NOT NULL,
    upstream_hint TEXT
);
CREATE INDEX sessions_ends ON sessions (ends);

-- One login of one client. A revoked family is a deleted one.
CREATE TABLE families (
    id         TEXT   NOT NULL PRIMARY KEY,
    client     TEXT   NOT NULL,
    sid        TEXT   NOT NULL,
    assertion  TEXT   NOT NULL,
    scope      TEXT   NOT NULL,
    audience   TEXT   NOT NULL,
    generation BIGINT NOT NULL,
    rotated    BIGINT NOT NULL,
    ends       BIGINT NOT NULL
);
CREATE INDEX families_sid ON families (sid);
CREATE INDEX families_ends ON families (ends);

-- Tokens revoked before their time.
CREATE TABLE revocations (
    jti  TEXT   NOT NULL PRIMARY KEY,
    ends BIGINT NOT NULL
);
CREATE INDEX revocations_ends ON revocations (ends);

-- Signing keys; the private half is sealed.
CREATE TABLE signing_keys (
    kid          TEXT   NOT NULL PRIMARY KEY,
    algorithm    TEXT   NOT NULL,
    sealed       TEXT   NOT NULL,
    certificate  TEXT   NOT NULL,
    published    BIGINT NOT NULL,
    signs_from   BIGINT NOT NULL,
    signs_until  BIGINT,
    gone_at      BIGINT
);

-- A row to hold while keys are added: replicas take turns.
CREATE TABLE turns (
    name  TEXT   NOT NULL PRIMARY KEY,
    taken BIGINT NOT NULL
);
INSERT INTO turns (name, taken) VALUES ('keys', 0);

-- The audit trail. `hash` is SHA-256 over the previous row's hash, the number and the event:
-- a missing number shows that rows are gone, a wrong hash that one was changed.
CREATE TABLE audit (
    number    BIGINT NOT NULL PRIMARY KEY,
    at        BIGINT NOT NULL,
    reference TEXT   NOT NULL,
    event     TEXT   NOT NULL,
    hash      TEXT   NOT NULL
);
CREATE INDEX audit_reference ON audit (reference);

-- Where the trail stands. Writers hold this row, so numbers are consecutive across replicas.
CREATE TABLE audit_head (
    id     BIGINT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL,
    hash   TEXT   NOT NULL
);
INSERT INTO audit_head (id, number, hash) VALUES (1, 0, '');
