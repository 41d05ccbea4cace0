-- Commands whose time runs out are looked for by a condition of their own: while this index had the condition of those that
-- serve a phone's visit, it was taken for theirs, and a visit walked through what waits for every phone.
DROP INDEX commands_expiring;
CREATE INDEX commands_expiring ON commands (expires_at) WHERE ended_at IS NULL;
