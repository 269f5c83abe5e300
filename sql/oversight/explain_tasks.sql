-- What people have to do about a customer.
select key, subject, owner, due_by from report.tasks where customer = :customer and closed_at is null order by due_by, key
