-- People as they last proved who they are, so that what they are given elsewhere can be given before they come again
-- and taken away without them. Claims are personal data; what is kept of somebody who was let go is their key.
CREATE TABLE people (
    key    TEXT   NOT NULL PRIMARY KEY,
    facts  TEXT   NOT NULL,
    held   TEXT   NOT NULL,
    seen   BIGINT NOT NULL,
    listed BIGINT NOT NULL,
    gone   BIGINT
);

-- Whose a session or a family of refresh tokens is. Rows from before have none and end by themselves within a day.
ALTER TABLE sessions ADD COLUMN person TEXT;
ALTER TABLE families ADD COLUMN person TEXT;
CREATE INDEX sessions_person ON sessions (person);
CREATE INDEX families_person ON families (person);

-- What was given at a target by this gateway, written down before it is given: nothing else is ever taken away there.
CREATE TABLE given (
    target TEXT NOT NULL,
    item   TEXT NOT NULL,
    PRIMARY KEY (target, item)
);

-- How far a target is behind what it should be, and which replica works on it until when.
CREATE TABLE provision (
    target TEXT   NOT NULL PRIMARY KEY,
    state  TEXT   NOT NULL,
    worker TEXT   NOT NULL,
    until  BIGINT NOT NULL
);
