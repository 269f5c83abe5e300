-- Where the chain does not hold: a hash that is not its event's and its forerunners', or a number left out.
select seq
from (
    select seq, hash, lag(seq, 1, 0::bigint) over in_order as before, albacore.audit_hash(lag(hash, 1, '') over in_order, event) as expected
    from albacore.audit_event event
    window in_order as (order by seq)
) link
where hash <> expected or seq <> before + 1
order by seq
