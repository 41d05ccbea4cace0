-- Who, besides its owner, could have signed in as an account: the labels, between spaces, of whoever made or reset it once
-- there were devices, and of whoever had their accounts in hand. Two accounts that share a label never act together in an
-- order. Accounts made before this column know their maker and their last resetter.
ALTER TABLE operators ADD COLUMN hands TEXT NOT NULL DEFAULT '';
UPDATE operators SET hands = TRIM(
    CASE WHEN made_at_set_up THEN '' ELSE COALESCE(created_by, '') END || ' ' || COALESCE(reset_by, '')
);
