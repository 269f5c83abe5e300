-- The customer has been told of these resumes.
update albacore.machine_command set told_at = :now where command_id = any(:commands)
