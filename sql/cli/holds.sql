-- How many holds a customer has had.
select count(*) from albacore.hold where customer = :customer
