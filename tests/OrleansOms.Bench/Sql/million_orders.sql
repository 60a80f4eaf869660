-- Copies the orders that are there until the lists hold a million, one a minute back into the past. The copies stand in
-- the read model only: what opens one order reads its stream by its key, whatever else there is.

-- Indexes are made anew at the end: all at once is many times faster than row by row.
create temp table made_again as
select i.schemaname, i.indexname, i.indexdef from pg_indexes i
where i.schemaname = 'oms' and i.tablename in ('orders', 'order_search', 'order_lines', 'shipments')
  and not exists (select from pg_constraint c where c.conname = i.indexname);
do $$ declare i record; begin
  for i in select * from made_again loop execute format('drop index %I.%I', i.schemaname, i.indexname); end loop;
end $$;
set maintenance_work_mem = '512MB';
set synchronous_commit = off;

create temp table pattern as select row_number() over (order by id) - 1 as n, o.* from oms.orders o;
create unique index on pattern (n);
analyze pattern;

create temp table made as
select p.id as like_id, 'ord-' || left(md5('order ' || g), 26) as id, (2000000 + g)::text as number,
  date_trunc('minute', now()) - g * interval '1 minute' as placed_at,
  (array['web', 'store', 'mobile', 'marketplace', 'phone', 'b2b'])[1 + g * 31 % 6] as channel,
  case when g % 50 = 7 then 'cancelled' when g <= 4000 then 'shipped' when g <= 20000 then 'delivered' else 'closed' end
    as status,
  (array['Jane', 'Amir', 'Chidi', 'Mei', 'Olga', 'Pedro', 'Ruth', 'Sven', 'Tala', 'Uma'])[1 + g * 7 % 10] || ' '
    || (array['Doe', 'Okafor', 'Lindqvist', 'Haddad', 'Novak', 'Silva', 'Tanaka'])[1 + g * 11 % 7] || g % 997 as person,
  (g::bigint * 7919 % 50000) / 100.0 as total
from generate_series(1, 1000000 - (select count(*)::int from pattern)) g
join pattern p on p.n = g % (select count(*) from pattern);

insert into oms.orders
select m.id, m.number, m.channel, 'ext-' || m.number, m.status, 'paid', p.country, p.currency, m.placed_at,
  m.placed_at + interval '14 days', m.person, lower(replace(m.person, ' ', '.')) || '@example.com', m.total, p.lines,
  p.units, p.warehouses, 6
from made m join pattern p on p.id = m.like_id;

insert into oms.order_search
select m.id, m.placed_at, m.total, m.number, 'ext-' || m.number,
  lower(m.person || E'\n' || replace(m.person, ' ', '.') || '@example.com'),
  array_replace(s.terms, 'c:web', 'c:' || m.channel)
from made m join oms.order_search s on s.order_id = m.like_id;

insert into oms.order_lines
select m.id, l.line_id, l.sku, l.quantity, l.unit_price, l.discount, l.tax_rate, l.allocated, 0,
  case m.status when 'cancelled' then 0 else l.quantity end,
  case when m.status in ('delivered', 'closed') then l.quantity else 0 end,
  case m.status when 'cancelled' then l.quantity else 0 end, 0
from made m join oms.order_lines l on l.order_id = m.like_id;

insert into oms.shipments
select x.id, m.id, m.number, s.warehouse, x.status, 5, m.placed_at, x.shipped_at, x.shipped_at,
  (s.view::jsonb || jsonb_build_object(
    'id', x.id, 'orderId', m.id, 'orderNumber', m.number, 'status', initcap(x.status), 'createdAt', m.placed_at,
    'shippedAt', x.shipped_at, 'carrier', 'DHL', 'trackingNumber', 'JD' || m.number))::json
from made m join oms.shipments s on s.order_id = m.like_id
cross join lateral (select
  replace(s.id, substr(m.like_id, 5), substr(m.id, 5)) as id,
  case m.status when 'shipped' then 'shipped' else 'delivered' end as status,
  least(m.placed_at + interval '4 hours', now()) as shipped_at) x
where m.status <> 'cancelled';

truncate oms.order_counts;
insert into oms.order_counts
select channel, warehouse, status, count(*) from oms.orders
cross join lateral unnest(array_prepend('', warehouses)) as held (warehouse)
group by channel, warehouse, status;

do $$ declare i record; begin
  for i in select * from made_again loop execute i.indexdef; end loop;
end $$;
