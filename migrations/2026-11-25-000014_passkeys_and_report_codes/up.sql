-- What an operator proves who he is with: a key that never leaves his phone, computer or security key.
CREATE TABLE passkeys (
    id TEXT NOT NULL PRIMARY KEY,
    operator_id TEXT NOT NULL REFERENCES operators (id),
    -- SHA-256 of the credential's id, which the key's holder chooses.
    credential_hash TEXT NOT NULL UNIQUE,
    -- The configured public address that it was made at, and is good at.
    address TEXT NOT NULL,
    name TEXT NOT NULL,
    -- The public key and what belongs to it, as JSON. Nothing in it is secret.
    credential TEXT NOT NULL,
    -- How often the key was used, by its own count; 0 for one that does not count.
    counter BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    last_used_at TIMESTAMP
);
CREATE INDEX passkeys_of_operator ON passkeys (operator_id, id);

-- A question that was put to a passkey and not answered yet: taken once, and good for five minutes.
CREATE TABLE passkey_ceremonies (
    -- SHA-256 of the session or visit that it was put to.
    bound_to TEXT NOT NULL,
    purpose TEXT NOT NULL CHECK (purpose IN ('register', 'sign_in', 'confirm')),
    address TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (bound_to, purpose)
);
CREATE INDEX passkey_ceremonies_by_age ON passkey_ceremonies (created_at);

-- The code on a holder's card, with which he reports his phone lost without an account. It belongs to one custody and dies
-- with it.
CREATE TABLE report_codes (
    council_id TEXT NOT NULL,
    custody_id TEXT NOT NULL,
    asset_id TEXT NOT NULL,
    -- SHA-256 of the code.
    code_hash TEXT NOT NULL UNIQUE,
    made_by TEXT NOT NULL,
    made_at TIMESTAMP NOT NULL,
    PRIMARY KEY (council_id, custody_id),
    FOREIGN KEY (council_id, custody_id) REFERENCES custody (council_id, id),
    FOREIGN KEY (council_id, asset_id) REFERENCES assets (council_id, id)
);
CREATE INDEX report_codes_of_asset ON report_codes (council_id, asset_id);
