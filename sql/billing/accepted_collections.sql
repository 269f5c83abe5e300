-- The collections that the rating under way stands on.
select collection_id from accepted_readings
