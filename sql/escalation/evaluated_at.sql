-- When the cases were last evaluated.
select evaluated_at from albacore.evaluation
