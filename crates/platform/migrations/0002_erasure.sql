-- Personal data leave the journal: a row beside the chain keeps what is nobody's, and loses its salt, so that the digest in the
-- chain says nothing any more. The application role may do that through this function only, and whoever does it without the
-- fact that names these events is found by the audit.
create function quenty.erase_personal(leftovers jsonb) returns bigint
language sql security definer set search_path = quenty, pg_temp as $$
    with erased as (
        update quenty.journal_personal p set salt = ''::bytea, data = l.data
        from jsonb_to_recordset(leftovers) as l(event_id uuid, data jsonb)
        where p.event_id = l.event_id returning 1
    )
    select count(*) from erased
$$;
revoke all on function quenty.erase_personal(jsonb) from public;

-- The audit asks it for each fact that was stripped.
create index journal_erased on quenty.journal using gin ((data->'event_ids')) where type = 'quenty.journal.erased.v1';
