-- Numbers that are left out or used beyond the counter: gapless per entity and year.
select expected
from (
    select format('%s-%s-%s', entity, year, lpad(n::text, 6, '0')) as expected
    from albacore.document_number cross join lateral generate_series(1, last) as n
) wanted
where not exists (select from albacore.document where number = expected)
order by expected
