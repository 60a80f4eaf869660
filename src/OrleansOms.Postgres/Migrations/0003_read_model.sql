-- The tables behind lists and searches. Every row is the fold of one aggregate's events, so all of this can be emptied
-- and made anew from the log. Keys are compared byte by byte (collate "C"): a1, A1 and 0a1 are three SKUs.

create extension if not exists pg_trgm;

create table oms.orders (
  id             text collate "C" primary key,
  number         text collate "C" not null,
  channel        text collate "C" not null,
  external_id    text collate "C",
  status         text collate "C" not null,
  payment_status text collate "C" not null,
  country        text collate "C" not null,
  currency       text collate "C" not null,
  placed_at      timestamptz not null,
  promised_by    timestamptz not null,
  customer_name  text,
  customer_email text,
  total          numeric not null,
  lines          int not null,
  units          int not null,
  warehouses     text[] not null,
  version        int not null
) with (fillfactor = 85);

-- The one index that follows the status: a list of one status is a walk along it, however rare or old its orders are.
create index orders_by_status on oms.orders (status, placed_at, id);

-- What never changes about an order, or hardly ever, apart from the row that changes with each of its events: a new
-- status must not be paid for with new entries in all of these indexes.
create table oms.order_search (
  order_id     text collate "C" primary key,
  placed_at    timestamptz not null,
  total        numeric not null,
  -- Number, external id, name and e-mail in lower case, as the program lowers them.
  number_key   text collate "C" not null,
  external_key text collate "C",
  person       text not null,
  -- What is looked for as a whole: s:SKU, c:channel, w:warehouse.
  terms        text[] not null
);

create index order_search_by_time on oms.order_search (placed_at, order_id);
create index order_search_by_total on oms.order_search (total, order_id);
create index order_search_by_number on oms.order_search (number_key);
create index order_search_by_external on oms.order_search (external_key) where external_key is not null;
-- New entries wait in a list that every search reads, so it is kept short.
create index order_search_inside on oms.order_search using gin (terms, person gin_trgm_ops)
  with (fastupdate = on, gin_pending_list_limit = 1024);

create table oms.order_lines (
  order_id    text collate "C" not null,
  line_id     int not null,
  sku         text collate "C" not null,
  quantity    int not null,
  unit_price  numeric not null,
  discount    numeric not null,
  tax_rate    numeric not null,
  allocated   int not null,
  backordered int not null,
  shipped     int not null,
  delivered   int not null,
  cancelled   int not null,
  returned    int not null,
  primary key (order_id, line_id)
) with (fillfactor = 85);

create index order_lines_waiting on oms.order_lines (sku) where backordered > 0;

-- How many orders of each channel have each status, and how many of them each warehouse holds or has shipped units of:
-- counting a million rows takes longer than a screen may. The warehouse is empty for all orders, wherever they are.
create table oms.order_counts (
  channel   text collate "C" not null,
  warehouse text collate "C" not null,
  status    text collate "C" not null,
  orders    bigint not null,
  primary key (channel, warehouse, status)
) with (fillfactor = 50);

create table oms.shipments (
  -- Begins with the order's own characters: the shipments of an order are a range of this key.
  id           text collate "C" primary key,
  order_id     text collate "C" not null,
  order_number text collate "C" not null,
  warehouse    text collate "C" not null,
  status       text collate "C" not null,
  version      int not null,
  created_at   timestamptz not null,
  shipped_at   timestamptz,
  updated_at   timestamptz not null,
  view         json not null
) with (fillfactor = 85);

create index shipments_by_work on oms.shipments (warehouse, status, created_at, id);
create index shipments_by_departure on oms.shipments (shipped_at) where shipped_at is not null;

create table oms.stock (
  warehouse    text collate "C" not null,
  sku          text collate "C" not null,
  on_hand      int not null,
  reserved     int not null,
  safety_stock int not null,
  version      int not null,
  primary key (warehouse, sku)
) with (fillfactor = 70);

create table oms.products (
  sku          text collate "C" primary key,
  version      int not null,
  name         text not null,
  weight_grams int,
  barcode      text,
  -- In lower case, as the program lowers them.
  sku_key      text collate "C" not null,
  search       text not null
);

create index products_by_key on oms.products (sku_key);

create table oms.warehouses (
  code    text collate "C" primary key,
  version int not null,
  details json not null
);
