-- Whom a letter to a customer goes to, as last known.
select customer.name, customer.email, language, currency, coalesce(entity.legal_name, 'Albacore') as creditor
from albacore.known_customer customer
left join albacore.known_entity entity using (entity)
where customer = :customer
