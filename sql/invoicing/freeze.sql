-- Closes revisions: with a document their state follows the document's, without one there was nothing to bill.
update albacore.customer_month
set frozen_at = :now, waits = null,
    state = case when :documented then state when revision = 1 then 'invoiced' else 'corrected' end,
    reason = case when :documented then reason else 'nothing to bill' end
where customer_month_id = any(:ids)
