-- What was lost stays so when only some of it turns up: rows forgot that, and their histories do not. What was decided on since
-- stays as it was decided.
update returns r set state = jsonb_set(r.state, '{lost_at}', l.data -> 'at')
from (select distinct on (stream) stream, type, data from quenty.journal
      where type in ('quenty.returns.return.lost.v1', 'quenty.returns.return.departed.v1', 'quenty.returns.return.arrived.v1',
                     'quenty.returns.return.given_back.v1')
      order by stream, stream_version desc) l
where l.stream = r.state ->> 'id' and l.type = 'quenty.returns.return.lost.v1'
  and r.status in ('received', 'inspected', 'disputed') and r.state ->> 'lost_at' is null
  and exists (select from return_lines n where n.return_id = r.id and n.received < n.quantity);
