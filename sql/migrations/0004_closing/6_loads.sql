-- A load writes the version first and everything under it in one transaction. Asking again for each of a hundred
-- thousand rows cost as much as writing them.
alter table albacore.assignment
    drop constraint assignment_since_version_fkey,
    drop constraint assignment_until_version_fkey;
alter table albacore.price
    drop constraint price_since_version_fkey,
    drop constraint price_until_version_fkey;
