-- Documents whose payment link is to be asked for.
select number, xero_id from albacore.document_without_link order by number
