-- What a careful shop would store for one order in plain SQL: the work that ours is measured against. Only the order
-- itself is asked for; retries, histories, reads and screens would come on top.
create table raw_stock (
  sku      int primary key,
  on_hand  int not null,
  reserved int not null default 0
) with (fillfactor = 70); -- room for updates on the same page

create table raw_order (
  id        bigint generated always as identity primary key,
  customer  jsonb not null,
  ship_to   jsonb not null,
  total     numeric not null,
  status    int not null,
  placed_at timestamptz not null default now()
);

create table raw_order_line (
  order_id   bigint not null,
  line       int not null,
  sku        int not null,
  quantity   int not null,
  unit_price numeric not null,
  primary key (order_id, line)
);

create table raw_stock_ledger (
  id       bigint generated always as identity primary key,
  sku      int not null,
  quantity int not null,
  order_id bigint not null
);

create table raw_outbox (
  id   bigint generated always as identity primary key,
  body jsonb not null
);

insert into raw_stock (sku, on_hand) select n, 1000000000 from generate_series(0, 9999) as n;
