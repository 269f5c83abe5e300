-- Countries in which machines may be paused, as people have confirmed.
select distinct country from albacore.country_sign_off where until_on >= cast(:now as timestamptz)::date
