-- What was renewed goes on beside the new for a while.

-- Values that a program's key had before. An ended one stays: a process whose settings still name it must not bring it back.
create table oms.former_keys (
  hash bytea primary key check (octet_length(hash) = 32),
  key_id text not null references oms.api_keys (id),
  ends_at timestamptz not null
);

-- Values that a secret had before, each with the moment until which it was used.
create table oms.former_secrets (
  name text not null,
  used_until timestamptz not null,
  value bytea not null,
  primary key (name, used_until)
);
