-- Of persons who were erased before drivers' notes of them were, those are forgotten, too.
update pickups
set failures = (select coalesce(jsonb_agg(failure || '{"detail": null}'::jsonb order by number), '[]'::jsonb)
                from jsonb_array_elements(failures) with ordinality as f(failure, number)),
    proof = proof || '{"difference": null}'::jsonb
where contact @> '{"name": "erased", "address": {"line1": "erased", "city": "erased"}}'::jsonb;
