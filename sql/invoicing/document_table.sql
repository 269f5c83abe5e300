-- A month's documents, for the run's report.
select number, kind, customer, currency, total, state, payment_link, xero_id from albacore.document where month = :month order by number
