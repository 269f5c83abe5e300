-- Xero holds the document as a draft, with our total.
update albacore.document set state = 'drafted', xero_id = :xero_id where number = :number and state = 'prepared'
