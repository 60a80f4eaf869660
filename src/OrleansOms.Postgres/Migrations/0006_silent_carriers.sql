-- Parcels whose carrier has been silent for too long stay in sight however long ago they left.
alter table oms.shipments add column alarm_since timestamptz;

update oms.shipments set alarm_since = (view ->> 'alarmSince')::timestamptz where view ->> 'alarmSince' is not null;

create index shipments_by_alarm on oms.shipments (warehouse, created_at, id) where alarm_since is not null;
