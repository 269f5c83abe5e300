-- Power commands by action, site and outcome.
select action, site, count(*) as machines, min(sent_at) as sent_at, max(verified_at) as verified_at, outcome
from report.machine_commands group by action, site, outcome order by action, site
