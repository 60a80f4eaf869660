-- The event log and what belongs to it. Everything of this program lives in the schema "oms".

-- One row an event, written once and never changed. This is the hot path, so it pays for two indexes and nothing more:
-- no foreign key, no check, no trigger. What a row must obey is either the primary key or held by the only writer.
create table oms.event (
  -- Collation "C": keys are compared as bytes, which is what makes index inserts cheap. Nobody sorts keys for people.
  stream   text collate "C" not null,
  version  int not null,
  type     text not null,
  -- json, not jsonb: the text is stored as it came (a few microseconds saved a row, \u0000 and member order kept),
  -- and operators such as ->> still work for a person who looks at it.
  data     json not null,
  command  text not null,
  actor    text not null,
  at       timestamptz not null,
  -- The writing transaction. Readers stop below the oldest running one, so that a late commit is never skipped.
  xid      xid8 not null default pg_current_xact_id(),
  -- Orders the events of one transaction; across transactions xid comes first. Each connection takes a range of 1,000
  -- at once: gaps mean nothing, and the sequence is not touched for every row.
  position bigint generated always as identity (cache 1000),
  -- The fence: of two writers that both follow version n, one gets the row n+1.
  constraint event_stream primary key (stream, version)
);

-- Commit order. Always appended at its right edge, so its pages stay full and hot.
create unique index event_in_commit_order on oms.event (xid, position);

-- Insert-only tables are vacuumed for the sake of index-only scans and freezing. Little and often keeps it unnoticed.
alter table oms.event set (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

-- Refuses appends that would leave a gap: each stream must have the version that its new events follow. A stream only
-- grows, so a version that is there stays there. One index probe an append, not one a row.
create function oms.require_heads(streams text[], versions int[]) returns void language plpgsql stable as $body$
begin
  if exists (
    select from unnest(streams, versions) as asked (stream, version)
    where not exists (select from oms.event e where e.stream = asked.stream and e.version = asked.version))
  then
    raise exception 'an append does not follow the head of its stream' using errcode = 'OM001';
  end if;
end $body$;

-- Values that only one stream may hold, for ever: written in the transaction of the append that takes them.
create table oms.claim (
  scope  text collate "C" not null,
  value  text collate "C" not null,
  holder text collate "C" not null,
  constraint claim_once primary key (scope, value)
);

-- How far each follower has read: the transaction's id and the position, as in oms.event.
create table oms.checkpoint (
  follower    text collate "C" primary key,
  transaction bigint not null,
  position    bigint not null
);

-- Order numbers that people read. A process takes a block of 100 with one call: numbers are unique and rising within a
-- process, not without gaps.
create sequence oms.order_number start 100001 increment 100;
