-- Who may call, and what must stay secret.

-- Programs. Only a hash of each key is kept; a name is never given again, because histories name it.
create table oms.api_keys (
  id text primary key,
  name text not null unique,
  hash bytea not null unique check (octet_length(hash) = 32),
  scopes text[] not null,
  warehouses text[],
  requests_per_second integer check (requests_per_second > 0),
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);

-- People.
create table oms.operators (
  name text primary key,
  password_hash text not null,
  roles text[] not null,
  warehouses text[],
  created_at timestamptz not null default now()
);

-- Random bytes that every process of the cluster must agree on, such as the key of tracking links.
create table oms.secrets (
  name text primary key,
  value bytea not null
);

-- ASP.NET's keys for cookies: shared, so that a login made on one front end holds on all.
create table oms.cookie_keys (
  name text primary key,
  xml text not null
);
