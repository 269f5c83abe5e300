-- Documents with the payload that was committed.
select number, payload, payload_sha256 from albacore.document where month between :first_day and :last_day order by number
