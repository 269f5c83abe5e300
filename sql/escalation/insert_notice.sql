-- A notice of a step.
insert into albacore.notice (step_id, recipient, template, effect_id) values (:step_id, :recipient, :template, :effect_id)
