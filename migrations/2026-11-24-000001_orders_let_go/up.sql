-- When a person let an order go on that was held because the cap was reached: it counts against the caps like an approval
-- of that moment.
ALTER TABLE orders ADD COLUMN resumed_at TIMESTAMP;
CREATE INDEX orders_by_resume ON orders (resumed_at) WHERE resumed_at IS NOT NULL;
