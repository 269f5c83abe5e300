-- Money that an organisation in Xero does not show any more: it was used, paid back or voided.
delete from albacore.unapplied_credit where tenant = :tenant and xero_id <> all(:present)
