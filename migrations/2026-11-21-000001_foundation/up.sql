-- The whole first schema, one text for SQLite and PostgreSQL.
-- Every row that a council owns has the key (council_id, id) and is referred to by both columns, so that the
-- database itself refuses a row of one council under another. Times are UTC; ids are UUIDv7 made by the program.

CREATE TABLE installation (
    name TEXT NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL,
    changed_at TIMESTAMP NOT NULL
);

CREATE TABLE installation_keys (
    id TEXT NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL CHECK (purpose IN ('audit', 'approval', 'token')),
    sealed_key BYTEA NOT NULL,
    created_at TIMESTAMP NOT NULL,
    retired_at TIMESTAMP
);

CREATE TABLE councils (
    id TEXT NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    public_url TEXT NOT NULL UNIQUE,
    time_zone TEXT NOT NULL,
    scep_legacy BOOLEAN NOT NULL DEFAULT FALSE,
    created_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP
);

CREATE TABLE operators (
    id TEXT NOT NULL PRIMARY KEY,
    council_id TEXT REFERENCES councils (id),
    login TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('provider', 'clerk', 'approver', 'auditor')),
    password_hash TEXT NOT NULL,
    must_change_password BOOLEAN NOT NULL,
    made_at_set_up BOOLEAN NOT NULL,
    standing_since TIMESTAMP NOT NULL,
    sealed_totp BYTEA,
    sealed_totp_pending BYTEA,
    totp_last_step BIGINT,
    mfa_since TIMESTAMP,
    created_by TEXT,
    reset_by TEXT,
    created_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP,
    ended_by TEXT,
    CHECK ((role = 'provider') = (council_id IS NULL))
);
CREATE INDEX operators_of_council ON operators (council_id, id);

CREATE TABLE recovery_codes (
    operator_id TEXT NOT NULL REFERENCES operators (id),
    code_hash TEXT NOT NULL,
    used_at TIMESTAMP,
    PRIMARY KEY (operator_id, code_hash)
);

CREATE TABLE named_approvers (
    council_id TEXT NOT NULL REFERENCES councils (id),
    operator_id TEXT NOT NULL REFERENCES operators (id),
    named_by TEXT NOT NULL REFERENCES operators (id),
    named_at TIMESTAMP NOT NULL,
    PRIMARY KEY (council_id, operator_id),
    CHECK (named_by <> operator_id)
);

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    operator_id TEXT NOT NULL REFERENCES operators (id),
    token_hash TEXT NOT NULL UNIQUE,
    created_at TIMESTAMP NOT NULL,
    last_seen_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    mfa_at TIMESTAMP,
    reauthenticated_at TIMESTAMP,
    address TEXT NOT NULL,
    agent TEXT NOT NULL,
    revoked_at TIMESTAMP
);
CREATE INDEX sessions_of_operator ON sessions (operator_id, id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE sign_in_limits (
    subject TEXT NOT NULL PRIMARY KEY,
    window_start TIMESTAMP NOT NULL,
    failures BIGINT NOT NULL,
    blocked_until TIMESTAMP
);
CREATE INDEX sign_in_limits_by_age ON sign_in_limits (window_start);

CREATE TABLE api_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    council_id TEXT NOT NULL REFERENCES councils (id),
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    issued_by TEXT NOT NULL REFERENCES operators (id),
    issued_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    revoked_at TIMESTAMP
);
CREATE INDEX api_tokens_of_council ON api_tokens (council_id, id);
CREATE INDEX api_tokens_of_operator ON api_tokens (issued_by);

CREATE TABLE idempotency_keys (
    council_id TEXT NOT NULL,
    actor TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    status BIGINT NOT NULL,
    sealed_answer BYTEA,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (council_id, actor, idempotency_key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE people (
    council_id TEXT NOT NULL REFERENCES councils (id),
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    email TEXT,
    phone TEXT,
    council_device_only BOOLEAN NOT NULL DEFAULT FALSE,
    created_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP,
    PRIMARY KEY (council_id, id)
);

-- phone_digits are the digits of phone_number from the last to the first: looking for the end of a number is then
-- looking for a start, which an index can do.
CREATE TABLE assets (
    council_id TEXT NOT NULL REFERENCES councils (id),
    id TEXT NOT NULL UNIQUE,
    tag TEXT NOT NULL,
    kind TEXT NOT NULL,
    make TEXT NOT NULL,
    model TEXT NOT NULL,
    platform TEXT CHECK (platform IN ('apple', 'android')),
    ownership TEXT NOT NULL CHECK (ownership IN ('council', 'personal')),
    serial TEXT,
    imei TEXT,
    sim TEXT,
    phone_number TEXT,
    phone_digits TEXT,
    note TEXT NOT NULL DEFAULT '',
    created_at TIMESTAMP NOT NULL,
    disposed_at TIMESTAMP,
    PRIMARY KEY (council_id, id),
    UNIQUE (council_id, tag)
);
CREATE INDEX assets_by_serial ON assets (council_id, serial) WHERE serial IS NOT NULL;
CREATE INDEX assets_by_phone ON assets (council_id, phone_digits) WHERE phone_digits IS NOT NULL;
CREATE INDEX assets_by_imei ON assets (council_id, imei) WHERE imei IS NOT NULL;

CREATE TABLE custody (
    council_id TEXT NOT NULL REFERENCES councils (id),
    id TEXT NOT NULL,
    asset_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    since TIMESTAMP NOT NULL,
    until TIMESTAMP,
    PRIMARY KEY (council_id, id),
    FOREIGN KEY (council_id, asset_id) REFERENCES assets (council_id, id),
    FOREIGN KEY (council_id, person_id) REFERENCES people (council_id, id)
);
CREATE INDEX custody_of_asset ON custody (council_id, asset_id, since);
CREATE INDEX custody_of_person ON custody (council_id, person_id);

CREATE TABLE authorities (
    council_id TEXT NOT NULL REFERENCES councils (id),
    id TEXT NOT NULL UNIQUE,
    certificate BYTEA NOT NULL,
    sealed_key BYTEA NOT NULL,
    not_before TIMESTAMP NOT NULL,
    not_after TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (council_id, id)
);

CREATE TABLE push_certificates (
    council_id TEXT NOT NULL REFERENCES councils (id),
    id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('requested', 'current', 'retiring', 'retired')),
    apple_account TEXT,
    topic TEXT,
    certificate_pem TEXT,
    sealed_key BYTEA NOT NULL,
    not_before TIMESTAMP,
    not_after TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    activated_at TIMESTAMP,
    warned_days BIGINT,
    PRIMARY KEY (council_id, id),
    CHECK (state = 'requested' OR (topic IS NOT NULL AND certificate_pem IS NOT NULL AND not_after IS NOT NULL))
);
CREATE UNIQUE INDEX push_certificates_current ON push_certificates (council_id) WHERE state = 'current';
CREATE UNIQUE INDEX push_certificates_topic ON push_certificates (topic) WHERE state IN ('current', 'retiring');

CREATE TABLE devices (
    council_id TEXT NOT NULL REFERENCES councils (id),
    id TEXT NOT NULL UNIQUE,
    asset_id TEXT NOT NULL,
    platform TEXT NOT NULL CHECK (platform IN ('apple', 'android')),
    udid TEXT NOT NULL,
    serial TEXT,
    product TEXT,
    name TEXT,
    os_version TEXT,
    imei TEXT,
    iccid TEXT,
    phone_number TEXT,
    created_at TIMESTAMP NOT NULL,
    retired_at TIMESTAMP,
    PRIMARY KEY (council_id, id),
    FOREIGN KEY (council_id, asset_id) REFERENCES assets (council_id, id),
    UNIQUE (council_id, udid)
);
CREATE UNIQUE INDEX devices_of_asset ON devices (council_id, asset_id) WHERE retired_at IS NULL;

CREATE TABLE invitations (
    council_id TEXT NOT NULL REFERENCES councils (id),
    id TEXT NOT NULL UNIQUE,
    code_hash TEXT NOT NULL UNIQUE,
    asset_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    mode TEXT NOT NULL,
    ownership TEXT NOT NULL CHECK (ownership IN ('council', 'personal')),
    state TEXT NOT NULL CHECK (state IN ('open', 'accepted', 'used', 'withdrawn')),
    created_by TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    accepted_at TIMESTAMP,
    accepted_from TEXT,
    notice_version TEXT,
    used_at TIMESTAMP,
    PRIMARY KEY (council_id, id),
    FOREIGN KEY (council_id, asset_id) REFERENCES assets (council_id, id),
    FOREIGN KEY (council_id, person_id) REFERENCES people (council_id, id)
);
CREATE INDEX invitations_of_asset ON invitations (council_id, asset_id);
CREATE INDEX invitations_of_person ON invitations (council_id, person_id);

CREATE TABLE enrolments (
    council_id TEXT NOT NULL REFERENCES councils (id),
    id TEXT NOT NULL UNIQUE,
    device_id TEXT NOT NULL,
    generation BIGINT NOT NULL,
    platform TEXT NOT NULL CHECK (platform IN ('apple', 'android')),
    mode TEXT NOT NULL CHECK (mode IN ('supervised', 'device', 'user', 'fully_managed', 'company_work_profile', 'personal_work_profile')),
    ownership TEXT NOT NULL CHECK (ownership IN ('council', 'personal')),
    invitation_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('authenticated', 'enrolled', 'ended')),
    confirmation TEXT NOT NULL CHECK (confirmation IN ('not_needed', 'waiting', 'confirmed')),
    mode_disagrees BOOLEAN NOT NULL DEFAULT FALSE,
    fingerprint TEXT NOT NULL,
    topic TEXT,
    push_token TEXT,
    push_token_at TIMESTAMP,
    sealed_push_magic BYTEA,
    sealed_unlock_token BYTEA,
    push_retired_at TIMESTAMP,
    last_push_at TIMESTAMP,
    push_attempts BIGINT NOT NULL DEFAULT 0,
    authenticated_at TIMESTAMP NOT NULL,
    enrolled_at TIMESTAMP,
    last_seen_at TIMESTAMP NOT NULL,
    identity_not_after TIMESTAMP,
    renewal_started_at TIMESTAMP,
    profile_version BIGINT,
    ended_at TIMESTAMP,
    end_reason TEXT,
    PRIMARY KEY (council_id, id),
    UNIQUE (council_id, id, mode),
    UNIQUE (council_id, id, device_id),
    UNIQUE (council_id, device_id, generation),
    FOREIGN KEY (council_id, device_id) REFERENCES devices (council_id, id),
    FOREIGN KEY (council_id, invitation_id) REFERENCES invitations (council_id, id),
    CHECK (mode NOT IN ('user', 'personal_work_profile') OR ownership = 'personal'),
    CHECK ((state = 'ended') = (ended_at IS NOT NULL))
);
CREATE UNIQUE INDEX enrolments_live ON enrolments (council_id, device_id) WHERE ended_at IS NULL;
CREATE INDEX enrolments_of_invitation ON enrolments (council_id, invitation_id);
CREATE INDEX enrolments_by_fingerprint ON enrolments (fingerprint);
CREATE INDEX enrolments_by_identity_end ON enrolments (identity_not_after) WHERE ended_at IS NULL;
CREATE INDEX enrolments_by_last_seen ON enrolments (last_seen_at) WHERE ended_at IS NULL;

CREATE TABLE scep_challenges (
    council_id TEXT NOT NULL REFERENCES councils (id),
    id TEXT NOT NULL UNIQUE,
    challenge_hash TEXT NOT NULL UNIQUE,
    invitation_id TEXT,
    enrolment_id TEXT,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    used_at TIMESTAMP,
    public_key_fingerprint TEXT,
    PRIMARY KEY (council_id, id),
    FOREIGN KEY (council_id, invitation_id) REFERENCES invitations (council_id, id),
    FOREIGN KEY (council_id, enrolment_id) REFERENCES enrolments (council_id, id),
    CHECK ((invitation_id IS NULL) <> (enrolment_id IS NULL))
);
CREATE INDEX scep_challenges_of_invitation ON scep_challenges (council_id, invitation_id);
CREATE INDEX scep_challenges_unused ON scep_challenges (expires_at) WHERE used_at IS NULL;
CREATE INDEX scep_challenges_of_enrolment ON scep_challenges (council_id, enrolment_id);

CREATE TABLE certificates (
    council_id TEXT NOT NULL REFERENCES councils (id),
    serial TEXT NOT NULL,
    authority_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL UNIQUE,
    public_key_fingerprint TEXT NOT NULL,
    challenge_id TEXT NOT NULL,
    invitation_id TEXT,
    enrolment_id TEXT,
    certificate BYTEA NOT NULL,
    not_before TIMESTAMP NOT NULL,
    not_after TIMESTAMP NOT NULL,
    issued_at TIMESTAMP NOT NULL,
    revoked_at TIMESTAMP,
    revoked_reason TEXT,
    PRIMARY KEY (council_id, serial),
    UNIQUE (council_id, challenge_id),
    FOREIGN KEY (council_id, authority_id) REFERENCES authorities (council_id, id),
    FOREIGN KEY (council_id, challenge_id) REFERENCES scep_challenges (council_id, id),
    FOREIGN KEY (council_id, invitation_id) REFERENCES invitations (council_id, id),
    FOREIGN KEY (council_id, enrolment_id) REFERENCES enrolments (council_id, id)
);
CREATE INDEX certificates_of_enrolment ON certificates (council_id, enrolment_id);

CREATE TABLE cases (
    council_id TEXT NOT NULL REFERENCES councils (id),
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('loss', 'leaver')),
    asset_id TEXT NOT NULL,
    device_id TEXT,
    state TEXT NOT NULL CHECK (state IN ('open', 'found', 'closed')),
    reported_by TEXT NOT NULL,
    reporter TEXT NOT NULL,
    reported_at TIMESTAMP NOT NULL,
    happened_at TIMESTAMP,
    place TEXT NOT NULL DEFAULT '',
    circumstances TEXT NOT NULL DEFAULT '',
    aware_at TIMESTAMP NOT NULL,
    contact_message TEXT NOT NULL DEFAULT '',
    contact_number TEXT NOT NULL DEFAULT '',
    police_reference TEXT NOT NULL DEFAULT '',
    found_at TIMESTAMP,
    found_by TEXT,
    back_in_use_at TIMESTAMP,
    closed_at TIMESTAMP,
    closed_by TEXT,
    outcome TEXT,
    PRIMARY KEY (council_id, id),
    FOREIGN KEY (council_id, asset_id) REFERENCES assets (council_id, id),
    FOREIGN KEY (council_id, device_id) REFERENCES devices (council_id, id)
);
CREATE UNIQUE INDEX cases_open ON cases (council_id, asset_id, kind) WHERE state <> 'closed';
CREATE INDEX cases_of_asset ON cases (council_id, asset_id);
CREATE INDEX cases_of_device ON cases (council_id, device_id);

-- A command can never destroy: what can exists only as an order.
CREATE TABLE commands (
    council_id TEXT NOT NULL REFERENCES councils (id),
    id TEXT NOT NULL UNIQUE,
    enrolment_id TEXT NOT NULL,
    case_id TEXT,
    kind TEXT NOT NULL CHECK (kind IN (
        'device_information', 'security_info', 'profile_list', 'installed_application_list', 'certificate_list',
        'install_profile', 'remove_profile', 'renew_identity', 'device_lock', 'clear_passcode', 'enable_lost_mode',
        'disable_lost_mode', 'device_location', 'play_lost_mode_sound', 'device_configured',
        'activation_lock_bypass_code')),
    payload TEXT NOT NULL,
    priority BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN (
        'queued', 'sent', 'deferred', 'acknowledged', 'failed', 'expired', 'cancelled', 'superseded')),
    supersede_key TEXT,
    created_by TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    available_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    sent_at TIMESTAMP,
    offers BIGINT NOT NULL DEFAULT 0,
    ended_at TIMESTAMP,
    answer TEXT,
    problem TEXT,
    PRIMARY KEY (council_id, id),
    FOREIGN KEY (council_id, enrolment_id) REFERENCES enrolments (council_id, id),
    FOREIGN KEY (council_id, case_id) REFERENCES cases (council_id, id),
    CHECK (kind NOT IN ('erase_device', 'erase', 'wipe', 'remove_management', 'relinquish_ownership', 'delete_device'))
);
CREATE INDEX commands_open ON commands (council_id, enrolment_id, priority, id) WHERE state IN ('queued', 'sent', 'deferred');
CREATE INDEX commands_of_enrolment ON commands (council_id, enrolment_id, id);
CREATE UNIQUE INDEX commands_in_flight ON commands (council_id, enrolment_id, supersede_key)
    WHERE supersede_key IS NOT NULL AND state IN ('queued', 'sent', 'deferred');
CREATE INDEX commands_expiring ON commands (expires_at) WHERE state IN ('queued', 'sent', 'deferred');
CREATE INDEX commands_ended ON commands (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX commands_of_case ON commands (council_id, case_id) WHERE case_id IS NOT NULL;

CREATE TABLE orders (
    council_id TEXT NOT NULL REFERENCES councils (id),
    id TEXT NOT NULL UNIQUE,
    case_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    enrolment_id TEXT NOT NULL,
    mode TEXT NOT NULL,
    ownership TEXT NOT NULL CHECK (ownership IN ('council', 'personal')),
    scope TEXT NOT NULL CHECK (scope IN ('erase_device', 'erase_work_profile', 'forget_record')),
    state TEXT NOT NULL CHECK (state IN (
        'requested', 'approved', 'pushed', 'fetched', 'held', 'unreachable',
        'confirmed', 'presumed_erased', 'refused', 'lapsed', 'cancelled', 'failed', 'left_management')),
    held_reason TEXT CHECK (held_reason IN ('re_enrolled', 'legal_hold', 'frozen', 'quarantine', 'identity_waiting', 'forbidden', 'distrusted')),
    reason TEXT NOT NULL,
    preserve_data_plan BOOLEAN NOT NULL,
    requested_by TEXT NOT NULL REFERENCES operators (id),
    requested_at TIMESTAMP NOT NULL,
    lapses_at TIMESTAMP NOT NULL,
    approved_by TEXT REFERENCES operators (id),
    approved_at TIMESTAMP,
    seal BYTEA,
    seal_key_id TEXT REFERENCES installation_keys (id),
    command_id TEXT UNIQUE,
    first_fetched_at TIMESTAMP,
    fetched_at TIMESTAMP,
    offers BIGINT NOT NULL DEFAULT 0,
    not_before TIMESTAMP,
    reminders BIGINT NOT NULL DEFAULT 0,
    ended_at TIMESTAMP,
    ended_by TEXT,
    problem TEXT,
    changed_at TIMESTAMP NOT NULL,
    PRIMARY KEY (council_id, id),
    FOREIGN KEY (council_id, case_id) REFERENCES cases (council_id, id),
    FOREIGN KEY (council_id, enrolment_id, mode) REFERENCES enrolments (council_id, id, mode),
    FOREIGN KEY (council_id, enrolment_id, device_id) REFERENCES enrolments (council_id, id, device_id),
    CHECK (approved_by <> requested_by),
    CHECK ((approved_by IS NULL) = (seal IS NULL)),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CHECK (state NOT IN ('approved', 'pushed', 'fetched', 'confirmed', 'presumed_erased') OR approved_by IS NOT NULL),
    CHECK (scope <> 'erase_device' OR (ownership = 'council' AND mode NOT IN ('user', 'personal_work_profile'))),
    CHECK ((state = 'held') = (held_reason IS NOT NULL))
);
CREATE UNIQUE INDEX orders_open ON orders (council_id, enrolment_id)
    WHERE state IN ('requested', 'approved', 'pushed', 'fetched', 'held', 'unreachable');
CREATE INDEX orders_of_case ON orders (council_id, case_id);
CREATE INDEX orders_of_device ON orders (council_id, device_id);
CREATE INDEX orders_by_approval ON orders (approved_at) WHERE approved_at IS NOT NULL;
CREATE INDEX orders_of_enrolment ON orders (council_id, enrolment_id, state);
CREATE INDEX orders_by_state ON orders (state, changed_at);
CREATE UNIQUE INDEX orders_seal ON orders (seal) WHERE seal IS NOT NULL;

CREATE TABLE legal_holds (
    council_id TEXT NOT NULL REFERENCES councils (id),
    id TEXT NOT NULL UNIQUE,
    device_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    added_by TEXT NOT NULL,
    added_at TIMESTAMP NOT NULL,
    ended_by TEXT,
    ended_at TIMESTAMP,
    PRIMARY KEY (council_id, id),
    FOREIGN KEY (council_id, device_id) REFERENCES devices (council_id, id)
);
CREATE INDEX legal_holds_of_device ON legal_holds (council_id, device_id) WHERE ended_at IS NULL;

-- Scope is a council's id, or 'installation'.
CREATE TABLE order_caps (
    scope TEXT NOT NULL PRIMARY KEY,
    per_hour BIGINT NOT NULL,
    per_day BIGINT NOT NULL,
    changed_at TIMESTAMP NOT NULL
);

CREATE TABLE cap_changes (
    id TEXT NOT NULL PRIMARY KEY,
    scope TEXT NOT NULL,
    per_hour BIGINT NOT NULL,
    per_day BIGINT NOT NULL,
    requested_by TEXT NOT NULL REFERENCES operators (id),
    requested_at TIMESTAMP NOT NULL,
    approved_by TEXT REFERENCES operators (id),
    approved_at TIMESTAMP,
    effective_at TIMESTAMP,
    applied_at TIMESTAMP,
    CHECK (approved_by <> requested_by)
);
CREATE UNIQUE INDEX cap_changes_open ON cap_changes (scope) WHERE applied_at IS NULL;

CREATE TABLE freezes (
    id TEXT NOT NULL PRIMARY KEY,
    scope TEXT NOT NULL,
    reason TEXT NOT NULL,
    frozen_at TIMESTAMP NOT NULL,
    thaw_requested_by TEXT REFERENCES operators (id),
    thaw_requested_at TIMESTAMP,
    thawed_by TEXT REFERENCES operators (id),
    thawed_at TIMESTAMP,
    CHECK (thawed_by <> thaw_requested_by),
    CHECK (thawed_by IS NULL OR thaw_requested_by IS NOT NULL)
);
CREATE UNIQUE INDEX freezes_open ON freezes (scope) WHERE thawed_at IS NULL;

CREATE TABLE quarantines (
    id TEXT NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL,
    since TIMESTAMP NOT NULL,
    ended_by TEXT REFERENCES operators (id),
    ended_at TIMESTAMP
);
CREATE UNIQUE INDEX quarantines_open ON quarantines (since) WHERE ended_at IS NULL;

CREATE TABLE policies (
    council_id TEXT NOT NULL REFERENCES councils (id),
    version BIGINT NOT NULL,
    settings TEXT NOT NULL,
    note TEXT NOT NULL,
    changed_by TEXT NOT NULL,
    changed_at TIMESTAMP NOT NULL,
    PRIMARY KEY (council_id, version)
);

CREATE TABLE policy_secrets (
    council_id TEXT NOT NULL REFERENCES councils (id),
    id TEXT NOT NULL,
    sealed_value BYTEA NOT NULL,
    changed_at TIMESTAMP NOT NULL,
    PRIMARY KEY (council_id, id)
);

CREATE TABLE reports (
    council_id TEXT NOT NULL REFERENCES councils (id),
    enrolment_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    answer TEXT NOT NULL,
    received_at TIMESTAMP NOT NULL,
    PRIMARY KEY (council_id, enrolment_id, kind),
    FOREIGN KEY (council_id, enrolment_id) REFERENCES enrolments (council_id, id)
);

CREATE TABLE setting_states (
    council_id TEXT NOT NULL REFERENCES councils (id),
    enrolment_id TEXT NOT NULL,
    setting TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('in_force', 'not_in_force', 'unknown')),
    reason TEXT NOT NULL,
    since TIMESTAMP NOT NULL,
    checked_at TIMESTAMP NOT NULL,
    PRIMARY KEY (council_id, enrolment_id, setting),
    FOREIGN KEY (council_id, enrolment_id) REFERENCES enrolments (council_id, id)
);

CREATE TABLE alerts (
    council_id TEXT NOT NULL REFERENCES councils (id),
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    message TEXT NOT NULL,
    raised_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP,
    ended_by TEXT,
    PRIMARY KEY (council_id, id)
);
CREATE UNIQUE INDEX alerts_open ON alerts (council_id, kind, subject) WHERE ended_at IS NULL;

-- Chain is a council's id, or 'installation'.
CREATE TABLE audit_heads (
    chain TEXT NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL,
    mac BYTEA NOT NULL,
    head_seal BYTEA NOT NULL
);

CREATE TABLE audit_rows (
    chain TEXT NOT NULL REFERENCES audit_heads (chain),
    seq BIGINT NOT NULL,
    at TIMESTAMP NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    details_hash BYTEA NOT NULL,
    mac BYTEA NOT NULL,
    PRIMARY KEY (chain, seq)
);
CREATE INDEX audit_rows_of_subject ON audit_rows (chain, subject, seq);

CREATE TABLE audit_details (
    chain TEXT NOT NULL,
    seq BIGINT NOT NULL,
    salt BYTEA NOT NULL,
    details TEXT NOT NULL,
    PRIMARY KEY (chain, seq),
    FOREIGN KEY (chain, seq) REFERENCES audit_rows (chain, seq)
);

CREATE TABLE jobs (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    dedupe_key TEXT UNIQUE,
    run_at TIMESTAMP NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    revision BIGINT NOT NULL DEFAULT 0,
    lease_owner TEXT,
    lease_until TIMESTAMP,
    last_problem TEXT,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX jobs_due ON jobs (run_at);
