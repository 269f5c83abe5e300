-- Tries a parked document again, after a person mended the cause.
with released as (
    update albacore.document set state = case when xero_id is null then 'prepared' else 'drafted' end
    where number = :number and state = 'parked'
    returning number
)
update albacore.effect set state = 'unknown', next_try_at = :now, settled_at = null
where state = 'parked' and number in (select number from released)
