-- The columns of a report view with their types and comments.
select attname as name, format_type(atttypid, atttypmod) as type, col_description(attrelid, attnum) as description
from pg_attribute
where attrelid = cast('report.' || :view as regclass) and attnum > 0 and not attisdropped
order by attnum
