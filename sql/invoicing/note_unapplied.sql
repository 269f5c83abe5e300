-- Money that an organisation in Xero shows as set against nothing, and whose it is; the rows come as columns.
insert into albacore.unapplied_credit (xero_id, tenant, kind, number, customer, contact_id, entity, currency, remaining,
    entered_on, as_of)
select seen.xero_id, :tenant, seen.kind, nullif(seen.number, ''), owner.customer, seen.contact_id, known_customer.entity,
    seen.currency, seen.remaining, seen.entered_on, :asked
from unnest(cast(:xero_ids as text[]), cast(:kinds as text[]), cast(:numbers as text[]), cast(:contact_ids as text[]),
    cast(:currencies as text[]), cast(:remaining as numeric[]), cast(:entered_on as date[]))
    as seen (xero_id, kind, number, contact_id, currency, remaining, entered_on)
left join albacore.contact_owner owner using (contact_id)
left join albacore.known_customer on known_customer.customer = owner.customer
on conflict (xero_id) do update set tenant = excluded.tenant, kind = excluded.kind, number = excluded.number,
    customer = excluded.customer, contact_id = excluded.contact_id, entity = excluded.entity, currency = excluded.currency,
    remaining = excluded.remaining, entered_on = excluded.entered_on, as_of = excluded.as_of
