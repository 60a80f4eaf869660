-- Which database is which log. A log has an id of its own, made when it is first used and copied with its database; the
-- database of the lists says which logs the store consists of. Their number and order never change: the log of a stream
-- is told by its key and by how many logs there are.
create table oms.log_id (
  single bool primary key default true check (single),
  id     uuid not null default gen_random_uuid()
);

create table oms.logs (
  number int primary key,
  id     uuid not null unique
);
