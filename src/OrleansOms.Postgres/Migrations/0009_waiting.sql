-- Who waits, and from when: kind 1, an order for its money, from the moment that it is due; kind 2, a shipment for a word
-- from its carrier, from the last one. A fold of the log like the lists, and written with them. Each shard is read by a
-- grain of its own, and only what is due is read.
create table oms.waiting (
  key   text collate "C" not null,
  kind  smallint not null,
  since timestamptz not null,
  shard smallint not null generated always as (hashtext(key) & 3) stored,
  primary key (key, kind)
);

create index waiting_by_time on oms.waiting (shard, kind, since);
