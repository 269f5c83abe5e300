-- The time that the database's host has.
select clock_timestamp() as at
