-- A person who may not log in any more.
alter table oms.operators add column disabled_at timestamptz;

-- Logins that were ended before their cookie does. Rows older than any cookie are removed by the next logout.
create table oms.ended_logins (
  id text primary key,
  ended_at timestamptz not null default now()
);
