-- The intent under a key that is taken. A statement of its own: the one that found the key taken waited for the other
-- writer to commit, and does not see his row in its older snapshot.
select effect_id, payload_sha256 from albacore.effect where business_key = :business_key
