-- Where an invitation was accepted from stands in the details of the audit trail, which are purged in time; here it stayed
-- for ever, and nobody could read it.
ALTER TABLE invitations DROP COLUMN accepted_from;

-- Written at every push, and read by nothing: the wake-up job has what a push needs.
ALTER TABLE enrolments DROP COLUMN last_push_at;
ALTER TABLE enrolments DROP COLUMN push_attempts;

-- Nothing looks for phones that are to move to another policy; each phone's own job does.
DROP INDEX android_enrolments_to_move;

-- Codes are forgotten some time after their end, whatever became of them.
DROP INDEX android_tokens_ended;
CREATE INDEX android_tokens_by_end ON android_tokens (expires_at);
