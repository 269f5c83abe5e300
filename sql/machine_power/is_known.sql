-- Whether the database knows a command. A machine that it does not know at all can't be commanded: nothing is lacking.
select not exists (select from albacore.machine where site = :site and machine = :machine) or exists (
    select from albacore.machine_command join albacore.machine using (machine_id)
    where site = :site and machine = :machine and action = :action and commanded_at = :at
) as known
