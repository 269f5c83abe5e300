-- When a machine was last commanded, as far as the database knows.
select commanded_at from albacore.machine_command where commanded_at is not null order by commanded_at desc limit 1
