-- Tokens at targets that must end before the target would end them. `id` is the token's SHA-256; the token itself is
-- sealed, because ending it needs it. A row goes when its token has ended.
CREATE TABLE endings (
    id     TEXT   NOT NULL PRIMARY KEY,
    target TEXT   NOT NULL,
    sealed TEXT   NOT NULL,
    ends   BIGINT NOT NULL,
    gone   BIGINT NOT NULL
);
CREATE INDEX endings_ends ON endings (ends);
