-- What the clerk knows of how an item is backed up; what a phone reports of it stands in its reports.
ALTER TABLE assets ADD COLUMN backup_note TEXT NOT NULL DEFAULT '';
CREATE INDEX assets_disposed ON assets (council_id, id) WHERE disposed_at IS NOT NULL;

-- What is wrong, or was wrong, with an item: a broken screen, a battery that does not last.
CREATE TABLE faults (
    council_id TEXT NOT NULL REFERENCES councils (id),
    id TEXT NOT NULL UNIQUE,
    asset_id TEXT NOT NULL,
    what TEXT NOT NULL,
    noticed_at TIMESTAMP NOT NULL,
    noted_by TEXT NOT NULL,
    noted_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP,
    ended_by TEXT,
    -- How it ended: mended, or lived with.
    outcome TEXT,
    PRIMARY KEY (council_id, id),
    FOREIGN KEY (council_id, asset_id) REFERENCES assets (council_id, id),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL)),
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX faults_of_asset ON faults (council_id, asset_id, noticed_at);
