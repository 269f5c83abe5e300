-- Every machine-day behind a customer-month.
select billed.site, machine.machine, billed.day, billed.wh * 0.001 as kwh, hours_expected, hours_measured, hours_estimated + estimated_hours as hours_estimated,
    case
        when estimated_hours = 0 then quality
        when hours_measured + hours_estimated + estimated_hours < hours_expected then 'partial'
        else 'estimated'
    end as quality
from albacore.billed_day billed
join albacore.machine using (machine_id)
join albacore.machine_day using (collection_id, day, machine_id)
where billed.customer_month_id = :customer_month_id
order by billed.site, machine.machine, billed.day
