-- The span that an event was stored in, as W3C traceparent; empty where nobody recorded it, which is nearly always. Not
-- null: a row with a null has a bitmap of its nulls, eight bytes, and an empty text takes one. Older builds name the
-- columns that they write and leave it empty.
alter table oms.event add column trace text not null default '';
