-- A person confirms that machines may be paused in a country, until a day.
insert into albacore.country_sign_off (country, actor, reference, signed_at, until_on)
values (:country, :actor, :reference, :now, :until_on)
