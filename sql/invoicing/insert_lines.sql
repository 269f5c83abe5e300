-- The document's lines.
insert into albacore.document_line (document_id, line, customer_month_id, site, price_kind, description, quantity, unit,
    unit_price, amount, tax_type, tax)
values (:document_id, :line, :customer_month_id, :site, :price_kind, :description, :quantity, :unit, :unit_price, :amount,
    :tax_type, :tax)
