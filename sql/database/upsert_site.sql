-- A site as the program knows it.
insert into albacore.site (site, country, timezone, starts_on, late_days)
values (:site, :country, :timezone, :starts_on, :late_days)
on conflict (site) do update set country = excluded.country, timezone = excluded.timezone, starts_on = excluded.starts_on,
    late_days = excluded.late_days
