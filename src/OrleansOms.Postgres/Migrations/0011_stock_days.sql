-- What was on hand at any moment in the past is asked often, and a stock may have very many entries.

-- The day of UTC of the last entry, and that entry: a build that does not know of days leaves both behind the version.
alter table oms.stock add column day date, add column day_version int;

-- What a stock had before its first entry of a day of UTC. Between two of them the log tells the rest. A day is missing where
-- it is not known whether an entry was the first of its day.
create table oms.stock_days (
  warehouse text collate "C" not null,
  sku text collate "C" not null,
  day date not null,
  version int not null,
  on_hand int not null,
  reserved int not null,
  primary key (warehouse, sku, day)
);
