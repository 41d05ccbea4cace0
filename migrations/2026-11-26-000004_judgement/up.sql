-- SHA-256, in hexadecimal, of how the settings of this enrolment were judged last; NULL where they were not since. A report that is
-- judged alike needs no comparison with the rows of setting_states. Whoever changes those rows otherwise sets this to NULL.
ALTER TABLE enrolments ADD COLUMN judgement TEXT;
