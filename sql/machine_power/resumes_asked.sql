-- How often a paused machine was asked to run again.
select count(*)
from albacore.machine_command pause
join albacore.machine_command resume on resume.machine_id = pause.machine_id and resume.action = 'resume'
    and resume.command_id > pause.command_id
where pause.command_id = :command_id
