-- Xero's id for a customer.
insert into albacore.xero_contact (customer, contact_id, details_sha256) values (:customer, :contact_id, :sha256)
on conflict (customer) do update set contact_id = excluded.contact_id, details_sha256 = excluded.details_sha256
