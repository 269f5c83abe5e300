-- Whether no machine may be paused at all.
select coalesce((select is_on from albacore.kill_switch), false) as is_on
