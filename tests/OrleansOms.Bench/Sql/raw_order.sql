-- An order of three lines in one transaction: its stock is reserved, it is stored with its lines, the ledger and the
-- outbox say so.
\set first random(0, 3299)
\set second random(3300, 6599)
\set third random(6600, 9999)
begin;
update raw_stock set reserved = reserved + 1
where sku in (:first::int, :second::int, :third::int) and on_hand - reserved >= 1;
with wanted (line, sku) as (
  values (1, :first::int), (2, :second::int), (3, :third::int)
), placed as (
  insert into raw_order (customer, ship_to, total, status)
  values (
    '{"name":"Jane Doe","email":"jane@example.com"}',
    '{"line1":"1 High Street","city":"Worthing","postalCode":"BN9 1AA","country":"GB"}',
    59.97, 1)
  returning id
), lines as (
  insert into raw_order_line (order_id, line, sku, quantity, unit_price)
  select placed.id, wanted.line, wanted.sku, 1, 19.99 from placed, wanted
), entries as (
  insert into raw_stock_ledger (sku, quantity, order_id)
  select wanted.sku, 1, placed.id from placed, wanted
)
insert into raw_outbox (body)
select jsonb_build_object(
  'type', 'order.placed', 'id', placed.id, 'lines', jsonb_build_array(:first::int, :second::int, :third::int))
from placed;
commit;
