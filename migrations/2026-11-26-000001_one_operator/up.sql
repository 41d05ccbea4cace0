-- One-operator working: a council in which one person may have a phone erased alone, after 72 hours' notice to everyone, and
-- each time after 30 minutes in which whoever was told by mail can pause it.

-- One announcement of it. told_at is when the last of those named in one_operator_notices was told; it takes effect 72 hours
-- later, and counts until ended_at.
CREATE TABLE one_operator_settings (
    council_id TEXT NOT NULL REFERENCES councils (id),
    id TEXT NOT NULL UNIQUE,
    reason TEXT NOT NULL,
    begun_by TEXT NOT NULL REFERENCES operators (id),
    begun_at TIMESTAMP NOT NULL,
    told_at TIMESTAMP,
    ended_by TEXT,
    ended_at TIMESTAMP,
    PRIMARY KEY (council_id, id),
    CHECK ((ended_by IS NULL) = (ended_at IS NULL))
);
CREATE UNIQUE INDEX one_operator_settings_standing ON one_operator_settings (council_id) WHERE ended_at IS NULL;

-- The two tables whose rules change are made anew, for SQLite cannot change a rule of a table.
DROP INDEX google_operations_open;
DROP INDEX google_operations_of_command;
DROP INDEX google_operations_of_order;
DROP INDEX google_operations_to_check;
DROP INDEX google_operations_history;
DROP INDEX google_operations_by_command;
DROP INDEX google_operations_wipes;
DROP INDEX orders_open;
DROP INDEX orders_of_case;
DROP INDEX orders_of_device;
DROP INDEX orders_by_approval;
DROP INDEX orders_of_enrolment;
DROP INDEX orders_by_state;
DROP INDEX orders_seal;
DROP INDEX orders_by_resume;
DROP INDEX orders_unended;
ALTER TABLE google_operations RENAME TO google_operations_before;
ALTER TABLE orders RENAME TO orders_before;

-- one_operator_id and cooling_off_from stand where the end of a cooling-off authorised the order, instead of a second person.
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
    held_reason TEXT CHECK (held_reason IN ('re_enrolled', 'legal_hold', 'frozen', 'quarantine', 'identity_waiting', 'forbidden', 'distrusted', 'paused')),
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
    resumed_at TIMESTAMP,
    trail_seq BIGINT,
    trail_state TEXT,
    trail_seal BYTEA,
    record_forgotten_at TIMESTAMP,
    cancel_asked_at TIMESTAMP,
    one_operator_id TEXT,
    cooling_off_from TIMESTAMP,
    PRIMARY KEY (council_id, id),
    FOREIGN KEY (council_id, one_operator_id) REFERENCES one_operator_settings (council_id, id),
    FOREIGN KEY (council_id, case_id) REFERENCES cases (council_id, id),
    FOREIGN KEY (council_id, enrolment_id, mode) REFERENCES enrolments (council_id, id, mode),
    FOREIGN KEY (council_id, enrolment_id, device_id) REFERENCES enrolments (council_id, id, device_id),
    CHECK (approved_by <> requested_by),
    -- A second person, or the end of a cooling-off, and never both; either seals.
    CHECK (approved_by IS NULL OR one_operator_id IS NULL),
    CHECK ((one_operator_id IS NULL) = (cooling_off_from IS NULL)),
    CHECK ((approved_by IS NOT NULL OR one_operator_id IS NOT NULL) = (seal IS NOT NULL)),
    CHECK ((seal IS NULL) = (approved_at IS NULL)),
    CHECK (state NOT IN ('approved', 'pushed', 'fetched', 'confirmed', 'presumed_erased') OR seal IS NOT NULL),
    CHECK (scope <> 'erase_device' OR (ownership = 'council' AND mode NOT IN ('user', 'personal_work_profile'))),
    CHECK ((state = 'held') = (held_reason IS NOT NULL))
);
INSERT INTO orders (council_id, id, case_id, device_id, enrolment_id, mode, ownership, scope, state, held_reason, reason, preserve_data_plan, requested_by, requested_at, lapses_at, approved_by, approved_at, seal, seal_key_id, command_id, first_fetched_at, fetched_at, offers, not_before, reminders, ended_at, ended_by, problem, changed_at, resumed_at, trail_seq, trail_state, trail_seal, record_forgotten_at, cancel_asked_at)
SELECT council_id, id, case_id, device_id, enrolment_id, mode, ownership, scope, state, held_reason, reason, preserve_data_plan, requested_by, requested_at, lapses_at, approved_by, approved_at, seal, seal_key_id, command_id, first_fetched_at, fetched_at, offers, not_before, reminders, ended_at, ended_by, problem, changed_at, resumed_at, trail_seq, trail_state, trail_seal, record_forgotten_at, cancel_asked_at FROM orders_before;

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
INSERT INTO google_operations (council_id, id, enrolment_id, command_id, order_id, kind, state, name, called_at, issued_at, checked_at, cancel_wanted_at, cancel_sent_at, ended_at, outcome, problem)
SELECT council_id, id, enrolment_id, command_id, order_id, kind, state, name, called_at, issued_at, checked_at, cancel_wanted_at, cancel_sent_at, ended_at, outcome, problem FROM google_operations_before;
DROP TABLE google_operations_before;
DROP TABLE orders_before;
CREATE UNIQUE INDEX orders_open ON orders (council_id, enrolment_id)
    WHERE state IN ('requested', 'approved', 'pushed', 'fetched', 'held', 'unreachable');
CREATE INDEX orders_of_case ON orders (council_id, case_id);
CREATE INDEX orders_of_device ON orders (council_id, device_id);
CREATE INDEX orders_by_approval ON orders (approved_at) WHERE approved_at IS NOT NULL;
CREATE INDEX orders_of_enrolment ON orders (council_id, enrolment_id, state);
CREATE INDEX orders_by_state ON orders (state, changed_at);
CREATE UNIQUE INDEX orders_seal ON orders (seal) WHERE seal IS NOT NULL;
CREATE INDEX orders_by_resume ON orders (resumed_at) WHERE resumed_at IS NOT NULL;
CREATE INDEX orders_unended ON orders (council_id, id)
    WHERE state IN ('requested', 'approved', 'pushed', 'fetched', 'held', 'unreachable');
CREATE INDEX google_operations_open ON google_operations (council_id, enrolment_id) WHERE state <> 'ended';
CREATE UNIQUE INDEX google_operations_of_command ON google_operations (council_id, command_id)
    WHERE command_id IS NOT NULL AND state <> 'ended';
CREATE UNIQUE INDEX google_operations_of_order ON google_operations (council_id, order_id)
    WHERE order_id IS NOT NULL AND state <> 'ended';
CREATE INDEX google_operations_to_check ON google_operations (checked_at) WHERE state = 'issued';
CREATE INDEX google_operations_history ON google_operations (council_id, order_id) WHERE order_id IS NOT NULL;
CREATE INDEX google_operations_by_command ON google_operations (council_id, command_id) WHERE command_id IS NOT NULL;
CREATE INDEX google_operations_wipes ON google_operations (council_id, enrolment_id)
    WHERE order_id IS NOT NULL AND state <> 'ended';

-- An order that is carried out without a second person once its cooling-off is over. began_at is when the mail server had
-- accepted the notice to everyone who must be told; none before that. Each time it is begun anew is one round.
CREATE TABLE cooling_offs (
    council_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    setting_id TEXT NOT NULL,
    round BIGINT NOT NULL,
    began_at TIMESTAMP,
    PRIMARY KEY (council_id, order_id),
    FOREIGN KEY (council_id, order_id) REFERENCES orders (council_id, id),
    FOREIGN KEY (council_id, setting_id) REFERENCES one_operator_settings (council_id, id)
);
CREATE INDEX cooling_offs_by_begin ON cooling_offs (began_at) WHERE began_at IS NOT NULL;

-- One mail that tells somebody of the setting (order_id is none) or of an order, with a link by which he stops it, once.
-- needed: nothing begins before the mail server has accepted it. hears_of_orders: of the setting, whom orders are told to.
CREATE TABLE one_operator_notices (
    council_id TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    setting_id TEXT NOT NULL,
    order_id TEXT,
    round BIGINT NOT NULL,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    needed BOOLEAN NOT NULL,
    hears_of_orders BOOLEAN NOT NULL,
    code_hash TEXT NOT NULL UNIQUE,
    made_at TIMESTAMP NOT NULL,
    accepted_at TIMESTAMP,
    used_at TIMESTAMP,
    PRIMARY KEY (council_id, id),
    FOREIGN KEY (council_id, setting_id) REFERENCES one_operator_settings (council_id, id),
    FOREIGN KEY (council_id, order_id) REFERENCES orders (council_id, id)
);
CREATE INDEX one_operator_notices_of_setting ON one_operator_notices (council_id, setting_id, order_id, round);
