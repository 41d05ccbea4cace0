-- When somebody asked to take back an order that Google has, and Google has not answered yet. That a hold, or a freeze, calls
-- the order back is another thing, and stands with the operation alone (google_operations.cancel_wanted_at).
ALTER TABLE orders ADD COLUMN cancel_asked_at TIMESTAMP;

-- The wipes that Google has, for a freeze that calls all of them back.
CREATE INDEX google_operations_wipes ON google_operations (council_id, enrolment_id)
    WHERE order_id IS NOT NULL AND state <> 'ended';
