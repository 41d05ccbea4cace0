-- A name or tag in small letters, from the beginning of each of its words to its end: looking for the start of any word is
-- then looking for the start of a row, which an index can do. The program writes them; what was there before is filled in here.
CREATE TABLE person_name_starts (
    council_id TEXT NOT NULL,
    start TEXT NOT NULL,
    person_id TEXT NOT NULL,
    PRIMARY KEY (council_id, start, person_id),
    FOREIGN KEY (council_id, person_id) REFERENCES people (council_id, id)
);
CREATE INDEX person_name_starts_of_person ON person_name_starts (council_id, person_id);

CREATE TABLE asset_tag_starts (
    council_id TEXT NOT NULL,
    start TEXT NOT NULL,
    asset_id TEXT NOT NULL,
    PRIMARY KEY (council_id, start, asset_id),
    FOREIGN KEY (council_id, asset_id) REFERENCES assets (council_id, id)
);
CREATE INDEX asset_tag_starts_of_asset ON asset_tag_starts (council_id, asset_id);

INSERT INTO person_name_starts (council_id, start, person_id)
WITH RECURSIVE places(place) AS (SELECT 1 UNION ALL SELECT place + 1 FROM places WHERE place < 200)
SELECT DISTINCT council_id, SUBSTR(LOWER(name), place, 60), id FROM people, places
WHERE place <= LENGTH(name)
    AND SUBSTR(name, place, 1) NOT IN (' ', '-', '''', '.', '(', ')', ',')
    AND (place = 1 OR SUBSTR(name, place - 1, 1) IN (' ', '-', '''', '.', '(', ')', ','));

INSERT INTO asset_tag_starts (council_id, start, asset_id)
WITH RECURSIVE places(place) AS (SELECT 1 UNION ALL SELECT place + 1 FROM places WHERE place < 60)
SELECT DISTINCT council_id, SUBSTR(LOWER(tag), place, 60), id FROM assets, places
WHERE place <= LENGTH(tag)
    AND SUBSTR(tag, place, 1) NOT IN (' ', '-', '/', '.', '_')
    AND (place = 1 OR SUBSTR(tag, place - 1, 1) IN (' ', '-', '/', '.', '_'));

-- What the council found and decided about personal data on a lost device: the evidence that it took a decision, whichever.
CREATE TABLE breach_decisions (
    council_id TEXT NOT NULL,
    case_id TEXT NOT NULL,
    data_held TEXT NOT NULL,
    decision TEXT NOT NULL CHECK (decision IN ('undecided', 'notify', 'do_not_notify')),
    reason TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    decided_at TIMESTAMP NOT NULL,
    PRIMARY KEY (council_id, case_id),
    FOREIGN KEY (council_id, case_id) REFERENCES cases (council_id, id)
);

-- What the first page shows of a council, each from an index that holds nothing else.
CREATE INDEX alerts_unended ON alerts (council_id, id) WHERE ended_at IS NULL;
CREATE INDEX cases_unclosed ON cases (council_id, kind, id) WHERE state <> 'closed';
CREATE INDEX orders_unended ON orders (council_id, id)
    WHERE state IN ('requested', 'approved', 'pushed', 'fetched', 'held', 'unreachable');
CREATE INDEX setting_states_not_in_force ON setting_states (council_id, enrolment_id) WHERE state = 'not_in_force';
-- In place of one over all councils, which nothing asked for.
DROP INDEX enrolments_by_last_seen;
CREATE INDEX enrolments_silent ON enrolments (council_id, last_seen_at) WHERE ended_at IS NULL;
