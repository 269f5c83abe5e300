-- Whether a customer was ever known.
select exists (select from albacore.customer where customer = :customer)
