-- Whether a customer will get another invoice: a machine in the running month or later, or a month not yet invoiced.
create function albacore.expects_invoice(a_customer text, today date) returns boolean language sql stable as $$
    select exists (
        select from albacore.assignment
        where customer = a_customer and until_version is null and state = 'billable' and to_day >= date_trunc('month', today)
    ) or exists (
        select from albacore.customer_month
        where customer = a_customer and revision = 1 and frozen_at is null and state in ('ready', 'blocked')
    )
$$;
