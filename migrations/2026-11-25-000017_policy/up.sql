-- Before a policy is changed, the console says how many phones of each kind it is sent to.
CREATE INDEX enrolments_by_mode ON enrolments (council_id, mode) WHERE ended_at IS NULL;
