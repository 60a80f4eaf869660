-- One unit of one hot SKU. Whoever holds the row's lock holds it until the commit is on disk.
with reserved as (
  update raw_stock set reserved = reserved + 1 where sku = 5 and on_hand - reserved >= 1 returning sku
)
insert into raw_stock_ledger (sku, quantity, order_id) select sku, 1, 1 from reserved;
