-- Money that is set against nothing, by Xero's last word.
select customer, kind, number, remaining, currency from albacore.unapplied_credit order by customer, entered_on, xero_id
