-- Takes the next numbers of an entity's year; the row stays locked until the documents are written with them.
insert into albacore.document_number (entity, year, last) values (:entity, :year, :count)
on conflict (entity, year) do update set last = document_number.last + excluded.last
returning last
