-- Where an operator is told by mail what happens; none means that he is not told.
ALTER TABLE operators ADD COLUMN mail TEXT;

-- The mail server of the installation: one row, or none while nothing is sent. What it said last stands beside it.
CREATE TABLE mail_servers (
    id TEXT NOT NULL PRIMARY KEY CHECK (id = 'installation'),
    host TEXT NOT NULL,
    port BIGINT NOT NULL CHECK (port BETWEEN 1 AND 65535),
    security TEXT NOT NULL CHECK (security IN ('starttls', 'tls', 'none')),
    username TEXT,
    sealed_password BYTEA,
    sender TEXT NOT NULL,
    changed_by TEXT NOT NULL,
    changed_at TIMESTAMP NOT NULL,
    accepted_at TIMESTAMP,
    problem TEXT,
    problem_at TIMESTAMP,
    CHECK ((username IS NULL) = (sealed_password IS NULL))
);
