-- What the AdoNet providers of Orleans 10.4.2 need: cluster membership, reminders, grain storage.
--
-- The providers carry no SQL. They read their queries by key from a table that they call OrleansQuery without a schema,
-- so their connections have "oms" as search path. Everything else is named in full here.
-- Each query's comment says what the provider expects of it.

create table oms.orleansquery (querykey text primary key, querytext text not null);

-- Membership ---------------------------------------------------------------------------------------------------------

-- One row a cluster; its version is the fence of every change of membership.
create table oms.orleans_cluster (
  deployment text primary key,
  version    int not null
);

create table oms.orleans_silo (
  deployment      text not null references oms.orleans_cluster,
  address         text not null,
  port            int not null,
  generation      int not null,
  silo_name       text not null,
  host_name       text not null,
  status          int not null,
  proxy_port      int not null,
  suspect_times   text,
  start_time      timestamptz not null,
  i_am_alive_time timestamptz not null,
  primary key (deployment, address, port, generation)
);

insert into oms.orleansquery (querykey, querytext) values
-- One truth value: whether the cluster's row was created by this call.
('InsertMembershipVersionKey', $q$
with created as (
  insert into oms.orleans_cluster (deployment, version) values (@DeploymentId, 0) on conflict do nothing returning 1)
select exists (select from created)
$q$),
-- One truth value. The silo's row and the cluster's next version are written both or not at all. The version row is
-- locked first, so that of two silos which join at once, one has to read again.
('InsertMembershipKey', $q$
with moved as (
  update oms.orleans_cluster set version = version + 1
  where deployment = @DeploymentId and version = @Version and not exists (
    select from oms.orleans_silo s
    where s.deployment = @DeploymentId and s.address = @Address and s.port = @Port and s.generation = @Generation)
  returning deployment),
joined as (
  insert into oms.orleans_silo (deployment, address, port, generation, silo_name, host_name, status, proxy_port,
    start_time, i_am_alive_time)
  select deployment, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime
  from moved
  returning 1)
select exists (select from joined)
$q$),
-- One truth value, both or not at all, as above. A heartbeat never goes back.
('UpdateMembershipKey', $q$
with moved as (
  update oms.orleans_cluster set version = version + 1
  where deployment = @DeploymentId and version = @Version and exists (
    select from oms.orleans_silo s
    where s.deployment = @DeploymentId and s.address = @Address and s.port = @Port and s.generation = @Generation)
  returning deployment),
changed as (
  update oms.orleans_silo s
  set status = @Status, suspect_times = @SuspectTimes, i_am_alive_time = greatest(s.i_am_alive_time, @IAmAliveTime)
  from moved
  where s.deployment = moved.deployment and s.address = @Address and s.port = @Port and s.generation = @Generation
  returning 1)
select exists (select from changed)
$q$),
-- A heartbeat: no version, no answer.
('UpdateIAmAlivetimeKey', $q$
update oms.orleans_silo set i_am_alive_time = @IAmAliveTime
where deployment = @DeploymentId and address = @Address and port = @Port and generation = @Generation
$q$),
-- The cluster's version always, with the silo's columns empty if it is not there.
('MembershipReadRowKey', $q$
select c.version as "Version", s.address as "Address", s.port as "Port", s.generation as "Generation",
  s.silo_name as "SiloName", s.host_name as "HostName", s.status as "Status", s.proxy_port as "ProxyPort",
  s.suspect_times as "SuspectTimes", s.start_time as "StartTime", s.i_am_alive_time as "IAmAliveTime"
from oms.orleans_cluster c
left join oms.orleans_silo s
  on s.deployment = c.deployment and s.address = @Address and s.port = @Port and s.generation = @Generation
where c.deployment = @DeploymentId
$q$),
('MembershipReadAllKey', $q$
select c.version as "Version", s.address as "Address", s.port as "Port", s.generation as "Generation",
  s.silo_name as "SiloName", s.host_name as "HostName", s.status as "Status", s.proxy_port as "ProxyPort",
  s.suspect_times as "SuspectTimes", s.start_time as "StartTime", s.i_am_alive_time as "IAmAliveTime"
from oms.orleans_cluster c
left join oms.orleans_silo s on s.deployment = c.deployment
where c.deployment = @DeploymentId
$q$),
('GatewaysQueryKey', $q$
select address as "Address", proxy_port as "ProxyPort", generation as "Generation"
from oms.orleans_silo
where deployment = @DeploymentId and status = @Status and proxy_port > 0
$q$),
('DeleteMembershipTableEntriesKey', $q$
with gone as (delete from oms.orleans_silo where deployment = @DeploymentId returning 1)
delete from oms.orleans_cluster where deployment = @DeploymentId and (select count(*) from gone) >= 0
$q$),
-- Silos that are dead (status 6) and were last heard of before the date.
('CleanupDefunctSiloEntriesKey', $q$
delete from oms.orleans_silo
where deployment = @DeploymentId and status = 6 and i_am_alive_time < @IAmAliveTime and start_time < @IAmAliveTime
$q$),
-- One dead silo, if its row still is what the provider has read.
('CleanupDefunctSiloEntryKey', $q$
delete from oms.orleans_silo
where deployment = @DeploymentId and address = @Address and port = @Port and generation = @Generation and status = 6
  and start_time = @StartTime and i_am_alive_time = @IAmAliveTime
  and suspect_times is not distinct from @SuspectTimes
$q$);

-- Reminders ----------------------------------------------------------------------------------------------------------

create table oms.orleans_reminder (
  service    text not null,
  grain_id   text not null,
  name       text not null,
  grain_hash int not null,
  start_time timestamptz not null,
  period     bigint not null, -- milliseconds
  version    int not null,
  primary key (service, grain_id, name)
);

-- Each silo reads the reminders of its part of the ring of hashes.
create index orleans_reminder_ring on oms.orleans_reminder (service, grain_hash);

insert into oms.orleansquery (querykey, querytext) values
-- The row's new version, which is its ETag.
('UpsertReminderRowKey', $q$
insert into oms.orleans_reminder as r (service, grain_id, name, grain_hash, start_time, period, version)
values (@ServiceId, @GrainId, @ReminderName, @GrainHash, @StartTime, @Period, 1)
on conflict (service, grain_id, name) do update
set grain_hash = excluded.grain_hash, start_time = excluded.start_time, period = excluded.period,
  version = r.version + 1
returning version as "Version"
$q$),
('ReadReminderRowKey', $q$
select grain_id as "GrainId", name as "ReminderName", start_time as "StartTime", period as "Period",
  version as "Version"
from oms.orleans_reminder
where service = @ServiceId and grain_id = @GrainId and name = @ReminderName
$q$),
('ReadReminderRowsKey', $q$
select grain_id as "GrainId", name as "ReminderName", start_time as "StartTime", period as "Period",
  version as "Version"
from oms.orleans_reminder
where service = @ServiceId and grain_id = @GrainId
$q$),
-- A range of the ring, as signed numbers: (begin, end].
('ReadRangeRows1Key', $q$
select grain_id as "GrainId", name as "ReminderName", start_time as "StartTime", period as "Period",
  version as "Version"
from oms.orleans_reminder
where service = @ServiceId and grain_hash > @BeginHash and grain_hash <= @EndHash
$q$),
-- A range that goes over the end of the ring.
('ReadRangeRows2Key', $q$
select grain_id as "GrainId", name as "ReminderName", start_time as "StartTime", period as "Period",
  version as "Version"
from oms.orleans_reminder
where service = @ServiceId and (grain_hash > @BeginHash or grain_hash <= @EndHash)
$q$),
-- One truth value: whether a row of that version was there.
('DeleteReminderRowKey', $q$
with gone as (
  delete from oms.orleans_reminder
  where service = @ServiceId and grain_id = @GrainId and name = @ReminderName and version = @Version
  returning 1)
select exists (select from gone)
$q$),
('DeleteReminderRowsKey', $q$
delete from oms.orleans_reminder where service = @ServiceId
$q$);

-- Grain storage ------------------------------------------------------------------------------------------------------

create table oms.orleans_storage (
  grain_id_hash int not null,
  n0            bigint not null,
  n1            bigint not null,
  type_hash     int not null,
  type          text collate "C" not null,
  extension     text collate "C",
  service       text collate "C" not null,
  version       int not null,
  payload       bytea,
  changed       timestamptz not null default now(),
  -- Without it, two activations that write a grain's first state at once both succeed, and the grain can never be read
  -- again. Integer keys have no extension, so nulls must count as equal.
  constraint orleans_storage_once
    unique nulls not distinct (grain_id_hash, n0, n1, type_hash, type, extension, service)
);

insert into oms.orleansquery (querykey, querytext) values
-- Always one row: the new version, or null if someone else has written since. No row at all would pass for success.
('WriteToStorageKey', $q$
with created as (
  insert into oms.orleans_storage (grain_id_hash, n0, n1, type_hash, type, extension, service, version, payload)
  select @GrainIdHash, @GrainIdN0, @GrainIdN1, @GrainTypeHash, @GrainTypeString, @GrainIdExtensionString, @ServiceId,
    1, @PayloadBinary
  where @GrainStateVersion::int is null
  on conflict (grain_id_hash, n0, n1, type_hash, type, extension, service) do nothing
  returning version),
replaced as (
  update oms.orleans_storage set payload = @PayloadBinary, version = version + 1, changed = now()
  where grain_id_hash = @GrainIdHash and n0 = @GrainIdN0 and n1 = @GrainIdN1 and type_hash = @GrainTypeHash
    and type = @GrainTypeString and extension is not distinct from @GrainIdExtensionString::text
    and service = @ServiceId and version = @GrainStateVersion::int
  returning version)
select (select version from created union all select version from replaced) as "NewGrainStateVersion"
$q$),
('ReadFromStorageKey', $q$
select payload as "PayloadBinary", version as "Version"
from oms.orleans_storage
where grain_id_hash = @GrainIdHash and n0 = @GrainIdN0 and n1 = @GrainIdN1 and type_hash = @GrainTypeHash
  and type = @GrainTypeString and extension is not distinct from @GrainIdExtensionString::text and service = @ServiceId
$q$),
-- Keeps the row, so that its version goes on. One row, as above.
('ClearStorageKey', $q$
with cleared as (
  update oms.orleans_storage set payload = null, version = version + 1, changed = now()
  where grain_id_hash = @GrainIdHash and n0 = @GrainIdN0 and n1 = @GrainIdN1 and type_hash = @GrainTypeHash
    and type = @GrainTypeString and extension is not distinct from @GrainIdExtensionString::text
    and service = @ServiceId and version = @GrainStateVersion::int
  returning version)
select (select version from cleared) as "NewGrainStateVersion"
$q$),
-- One row: a version unlike the given one, or null if someone else has written since.
('DeleteStorageKey', $q$
with gone as (
  delete from oms.orleans_storage
  where grain_id_hash = @GrainIdHash and n0 = @GrainIdN0 and n1 = @GrainIdN1 and type_hash = @GrainTypeHash
    and type = @GrainTypeString and extension is not distinct from @GrainIdExtensionString::text
    and service = @ServiceId and version = @GrainStateVersion::int
  returning version)
select (select version + 1 from gone) as "NewGrainStateVersion"
$q$);
