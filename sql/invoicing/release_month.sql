-- A person looked at a month that is out of line and lets it become a document.
update albacore.customer_month set waits = null, released_by = :actor
where customer = :customer and month = :month and waits = 'review' and frozen_at is null
