-- Whether there is anything of these days.
select exists (select from albacore.collection where day between :first_day and :last_day)
