-- The code that opens a phone's Activation Lock. A phone gives it only within 15 days after it was supervised, so it stays
-- with the device through every later enrolment and wipe.
ALTER TABLE devices ADD COLUMN sealed_bypass_code BYTEA;
ALTER TABLE devices ADD COLUMN bypass_code_at TIMESTAMP;
