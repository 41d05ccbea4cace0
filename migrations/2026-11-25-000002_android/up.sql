-- Android, through Google's Android Management API. Every call that changes something at Google is first a row here.
--
-- An Android enrolment has no certificate: `enrolments.fingerprint` holds "google:" and the device's name at Google.

-- The one project at Google that this installation uses, for all its councils. paced_until is where the next call's place
-- in the queue is (all councils share Google's quota); it holds for all servers on this database.
CREATE TABLE google_projects (
    id TEXT NOT NULL PRIMARY KEY,
    slot BIGINT NOT NULL UNIQUE CHECK (slot = 1),
    client_email TEXT NOT NULL,
    sealed_key BYTEA NOT NULL,
    notifications_ready BOOLEAN NOT NULL,
    paced_until TIMESTAMP NOT NULL,
    connected_by TEXT NOT NULL,
    connected_at TIMESTAMP NOT NULL,
    changed_at TIMESTAMP NOT NULL
);

-- A sign-up under way: Google's page sends its visitor back with the state whose hash stands here.
CREATE TABLE google_sign_ups (
    council_id TEXT NOT NULL REFERENCES councils (id),
    id TEXT NOT NULL UNIQUE,
    state_hash TEXT NOT NULL UNIQUE,
    name TEXT,
    requested_by TEXT NOT NULL,
    requested_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    completed_at TIMESTAMP,
    PRIMARY KEY (council_id, id)
);
CREATE INDEX google_sign_ups_by_end ON google_sign_ups (expires_at);

-- A council's enterprise at Google. It is never deleted there; a name never serves two councils.
CREATE TABLE google_enterprises (
    council_id TEXT NOT NULL REFERENCES councils (id),
    id TEXT NOT NULL UNIQUE,
    project_id TEXT NOT NULL REFERENCES google_projects (id),
    name TEXT NOT NULL UNIQUE,
    notifications_on BOOLEAN NOT NULL,
    connected_by TEXT NOT NULL,
    connected_at TIMESTAMP NOT NULL,
    reconciled_at TIMESTAMP,
    disconnected_by TEXT,
    disconnected_at TIMESTAMP,
    PRIMARY KEY (council_id, id),
    CHECK ((disconnected_by IS NULL) = (disconnected_at IS NULL))
);
CREATE UNIQUE INDEX google_enterprises_current ON google_enterprises (council_id) WHERE disconnected_at IS NULL;

-- What Google has of a council's policy: one for each mode and posture, not one for each device. sent_version is the
-- council's version that Google accepted last, google_version the number that Google gave it.
CREATE TABLE android_policies (
    council_id TEXT NOT NULL REFERENCES councils (id),
    mode TEXT NOT NULL CHECK (mode IN ('fully_managed', 'company_work_profile', 'personal_work_profile')),
    posture TEXT NOT NULL CHECK (posture IN ('everyday', 'lost')),
    sent_version BIGINT,
    sent_digest TEXT,
    google_version BIGINT,
    sent_at TIMESTAMP,
    refused_version BIGINT,
    problem TEXT,
    changed_at TIMESTAMP NOT NULL,
    PRIMARY KEY (council_id, mode, posture)
);

-- An enrolment token: the link of a personal phone, or the code that a phone scans in factory state. Google gives
-- the binding back with the device, which leads to the invitation.
CREATE TABLE android_tokens (
    council_id TEXT NOT NULL REFERENCES councils (id),
    id TEXT NOT NULL UNIQUE,
    invitation_id TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('fully_managed', 'company_work_profile', 'personal_work_profile')),
    binding_hash TEXT NOT NULL UNIQUE,
    google_name TEXT UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('asked', 'made', 'used', 'withdrawn')),
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    used_at TIMESTAMP,
    PRIMARY KEY (council_id, id),
    FOREIGN KEY (council_id, invitation_id) REFERENCES invitations (council_id, id)
);
CREATE INDEX android_tokens_of_invitation ON android_tokens (council_id, invitation_id);
CREATE INDEX android_tokens_ended ON android_tokens (expires_at) WHERE state IN ('asked', 'made');

-- What an enrolment has beyond its platform-neutral row. posture is what we want, posture_sent what Google has taken.
CREATE TABLE android_enrolments (
    council_id TEXT NOT NULL,
    enrolment_id TEXT NOT NULL UNIQUE,
    device_name TEXT NOT NULL UNIQUE,
    posture TEXT NOT NULL CHECK (posture IN ('everyday', 'lost')),
    posture_sent TEXT NOT NULL CHECK (posture_sent IN ('everyday', 'lost')),
    api_level BIGINT,
    google_state TEXT NOT NULL,
    reported_at TIMESTAMP,
    read_at TIMESTAMP NOT NULL,
    PRIMARY KEY (council_id, enrolment_id),
    FOREIGN KEY (council_id, enrolment_id) REFERENCES enrolments (council_id, id)
);
CREATE INDEX android_enrolments_to_move ON android_enrolments (council_id, enrolment_id) WHERE posture <> posture_sent;

-- One call of devices.issueCommand and what became of it at Google: calling (sent, perhaps without an answer), issued
-- (Google gave its operation a name), ended. A command or order has at most one that has not ended.
CREATE TABLE google_operations (
    council_id TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    enrolment_id TEXT NOT NULL,
    command_id TEXT,
    order_id TEXT,
    kind TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('calling', 'issued', 'ended')),
    name TEXT UNIQUE,
    called_at TIMESTAMP NOT NULL,
    issued_at TIMESTAMP,
    checked_at TIMESTAMP,
    cancel_wanted_at TIMESTAMP,
    cancel_sent_at TIMESTAMP,
    ended_at TIMESTAMP,
    outcome TEXT CHECK (outcome IN ('done', 'failed', 'cancelled', 'expired', 'not_made', 'lost_sight')),
    problem TEXT,
    PRIMARY KEY (council_id, id),
    FOREIGN KEY (council_id, enrolment_id) REFERENCES enrolments (council_id, id),
    FOREIGN KEY (council_id, command_id) REFERENCES commands (council_id, id) ON DELETE CASCADE,
    FOREIGN KEY (council_id, order_id) REFERENCES orders (council_id, id),
    CHECK ((command_id IS NULL) <> (order_id IS NULL)),
    -- Only an order can become what destroys, and an order nothing else.
    CHECK ((kind = 'WIPE') = (order_id IS NOT NULL)),
    CHECK (kind <> 'RELINQUISH_OWNERSHIP'),
    CHECK (state <> 'issued' OR name IS NOT NULL),
    CHECK ((state = 'ended') = (ended_at IS NOT NULL)),
    CHECK ((state = 'ended') = (outcome IS NOT NULL))
);
CREATE INDEX google_operations_open ON google_operations (council_id, enrolment_id) WHERE state <> 'ended';
CREATE UNIQUE INDEX google_operations_of_command ON google_operations (council_id, command_id)
    WHERE command_id IS NOT NULL AND state <> 'ended';
CREATE UNIQUE INDEX google_operations_of_order ON google_operations (council_id, order_id)
    WHERE order_id IS NOT NULL AND state <> 'ended';
CREATE INDEX google_operations_to_check ON google_operations (checked_at) WHERE state = 'issued';
CREATE INDEX google_operations_history ON google_operations (council_id, order_id) WHERE order_id IS NOT NULL;
CREATE INDEX google_operations_by_command ON google_operations (council_id, command_id) WHERE command_id IS NOT NULL;

-- When the record of a wiped device was tidied away at Google.
ALTER TABLE orders ADD COLUMN record_forgotten_at TIMESTAMP;
