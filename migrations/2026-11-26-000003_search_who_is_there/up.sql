-- A search is for who and what is there: those who left, and what was disposed of, must not take the places of the others.
DELETE FROM person_name_starts WHERE EXISTS (
    SELECT 1 FROM people WHERE people.council_id = person_name_starts.council_id
        AND people.id = person_name_starts.person_id AND people.ended_at IS NOT NULL);
DELETE FROM asset_tag_starts WHERE EXISTS (
    SELECT 1 FROM assets WHERE assets.council_id = asset_tag_starts.council_id
        AND assets.id = asset_tag_starts.asset_id AND assets.disposed_at IS NOT NULL);
