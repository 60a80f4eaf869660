-- Units in a warehouse that are not sellable: on_hand has those that are.

-- A build that does not know of them leaves both as they are: it does not go on behind an entry that changes them.
alter table oms.stock add column damaged int not null default 0, add column quarantine int not null default 0;

-- All days until now had none. What such a build writes from now on has neither, and is no beginning that is known: the stock may
-- have units by then that it has not heard of.
alter table oms.stock_days add column damaged int default 0, add column quarantine int default 0;
alter table oms.stock_days alter column damaged drop default, alter column quarantine drop default;
