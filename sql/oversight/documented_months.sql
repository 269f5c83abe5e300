-- Months that have documents.
select distinct month from albacore.document
