-- A council's break-glass code, printed once and kept in an envelope: it makes one clerk's account, for whoever must act while
-- nobody can sign in. Only its hash is kept; used, it is gone.
CREATE TABLE break_glass_codes (
    council_id TEXT NOT NULL PRIMARY KEY REFERENCES councils (id),
    code_hash TEXT NOT NULL UNIQUE,
    made_by TEXT NOT NULL REFERENCES operators (id),
    made_at TIMESTAMP NOT NULL
);
