-- Whether a month's accepted collections or the registry are newer than its last rating.
select exists (
    select from albacore.accepted_collection accepted
    where day between :first_day and :last_day and not exists (
        select from albacore.billing_run_collection used where used.collection_id = accepted.collection_id
    )
) or (select max(version) from albacore.registry_version)
    > (select max(registry_version) from albacore.billing_run where month = :first_day)
