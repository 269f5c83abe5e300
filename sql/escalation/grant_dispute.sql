-- A dispute that was granted: what it is about is not claimed until the correction is there.
update albacore.hold set outcome = 'granted', until_at = :until_at
where customer = :customer and number = :number and kind = 'dispute' and released_at is null and until_at > :now
