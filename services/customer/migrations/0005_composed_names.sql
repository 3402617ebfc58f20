-- A name is found however its letters and accents were put together. What processes of before still write is so from the
-- customer's next change on.

update customers set name_key = normalize(name_key, nfc) where name_key is not nfc normalized;
