-- When a person let an order go on that was held because the cap was reached: it counts against the caps like an approval
-- of that moment.
ALTER TABLE orders ADD COLUMN resumed_at TIMESTAMP;
CREATE INDEX orders_by_resume ON orders (resumed_at) WHERE resumed_at IS NOT NULL;

-- How far the audit trail about the order was checked, what it said up to there, and a seal over both: the next check
-- reads on from there. Without them, or when the seal is wrong, the check begins at the request.
ALTER TABLE orders ADD COLUMN trail_seq BIGINT;
ALTER TABLE orders ADD COLUMN trail_state TEXT;
ALTER TABLE orders ADD COLUMN trail_seal BYTEA;
