-- A job that failed is not tried again before this, however urgent a new wish is.
ALTER TABLE jobs ADD COLUMN rests_until TIMESTAMP;

-- What an inventory command brought is kept as a report; the command itself need not be kept for long.
CREATE INDEX commands_ended_inventory ON commands (ended_at)
    WHERE ended_at IS NOT NULL AND case_id IS NULL AND kind IN (
        'device_information', 'security_info', 'profile_list', 'installed_application_list', 'certificate_list');
