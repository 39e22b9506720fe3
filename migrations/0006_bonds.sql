-- What ties a session to its upstream: whom and which session the upstream means by it, and by what it is asked again.
CREATE TABLE bonds (
    sid      TEXT   NOT NULL PRIMARY KEY,
    upstream TEXT   NOT NULL,
    subject  TEXT   NOT NULL,
    session  TEXT,
    renewal  TEXT,
    ends     BIGINT NOT NULL
);
CREATE INDEX bonds_subject ON bonds (upstream, subject);
CREATE INDEX bonds_session ON bonds (upstream, session);
CREATE INDEX bonds_renewal ON bonds (renewal);
CREATE INDEX bonds_ends ON bonds (ends);

-- By what an upstream is asked again: its own token, sealed. Sessions of one sign-in share it.
CREATE TABLE renewals (
    id     TEXT   NOT NULL PRIMARY KEY,
    sealed TEXT   NOT NULL,
    asked  BIGINT NOT NULL,
    ends   BIGINT NOT NULL
);
CREATE INDEX renewals_ends ON renewals (ends);
