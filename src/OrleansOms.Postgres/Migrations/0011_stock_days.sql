-- What was on hand at any moment in the past is asked often, and a stock may have very many entries.

-- What a stock had before its first entry of a day of UTC. Between two of them the log tells the rest. A day that is missing
-- costs a longer way through the log, nothing else.
create table oms.stock_days (
  warehouse text collate "C" not null,
  sku text collate "C" not null,
  day date not null,
  version int not null,
  on_hand int not null,
  reserved int not null,
  primary key (warehouse, sku, day)
);
