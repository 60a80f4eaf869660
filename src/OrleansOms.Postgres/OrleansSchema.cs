using Npgsql;

namespace OrleansOms.Postgres;

/// <summary>What the AdoNet providers of Orleans find in the database: our tables and queries, in the schema oms.</summary>
public static class OrleansSchema
{
    /// <summary>The ADO.NET invariant of the providers.</summary>
    public const string Invariant = "Npgsql";

    /// <summary>Connections of a process for reminders and snapshots, and for the table of who is alive.</summary>
    public const int MaxConnections = 8, MaxMembershipConnections = 2;

    const int MinServerVersion = 150000; // unique nulls not distinct

    static readonly string[] Queries =
    [
        "InsertMembershipVersionKey", "InsertMembershipKey", "UpdateMembershipKey", "UpdateIAmAlivetimeKey",
        "MembershipReadRowKey", "MembershipReadAllKey", "GatewaysQueryKey", "DeleteMembershipTableEntriesKey",
        "CleanupDefunctSiloEntriesKey", "CleanupDefunctSiloEntryKey",
        "UpsertReminderRowKey", "ReadReminderRowKey", "ReadReminderRowsKey", "ReadRangeRows1Key", "ReadRangeRows2Key",
        "DeleteReminderRowKey", "DeleteReminderRowsKey",
        "WriteToStorageKey", "ReadFromStorageKey", "ClearStorageKey", "DeleteStorageKey",
    ];

    /// <summary>
    /// The connection string for the providers. They look for a table OrleansQuery without naming a schema, so theirs
    /// is the search path; everything else is named in full by the queries themselves. What a silo does at once with
    /// thousands of reminders shares <see cref="MaxConnections"/>.
    /// </summary>
    public static string ConnectionString(string connectionString) =>
        new NpgsqlConnectionStringBuilder(connectionString) { SearchPath = "oms", MaxPoolSize = MaxConnections }.ConnectionString;

    /// <summary>
    /// The same for the table of who is alive, which waits for no reminder and no snapshot: a silo that cannot say that
    /// it lives is believed dead.
    /// </summary>
    public static string MembershipConnectionString(string connectionString) => new NpgsqlConnectionStringBuilder(connectionString)
    {
        SearchPath = "oms", MaxPoolSize = MaxMembershipConnections, ApplicationName = "OrleansOms membership",
    }.ConnectionString;

    /// <summary>Refuses a database on which grain storage would lose data, or the providers could not start.</summary>
    /// <exception cref="InvalidOperationException">Says everything that is missing.</exception>
    public static async Task Check(NpgsqlConnection connection)
    {
        var missing = new List<string>();
        if (await Ask<int>(connection, "select current_setting('server_version_num')::int") < MinServerVersion)
            missing.Add("PostgreSQL 15 or later");
        else if (!await HasStorageKey(connection))
            missing.Add("a unique key with NULLS NOT DISTINCT on the identity of oms.orleans_storage");
        var found = await Ask<bool>(connection, "select to_regclass('oms.orleansquery') is not null")
            ? await Ask<string[]>(connection, "select coalesce(array_agg(querykey), '{}') from oms.orleansquery")
            : [];
        missing.AddRange(Queries.Except(found).Select(key => $"the query {key}"));
        if (missing.Count > 0)
        {
            throw new InvalidOperationException(
                $"This database cannot carry Orleans. Missing: {string.Join(", ", missing)}. Run the migrations on it.");
        }
    }

    // The whole key in any order, valid, over no more columns, and without a condition.
    static Task<bool> HasStorageKey(NpgsqlConnection connection) => Ask<bool>(connection, """
        select exists (
          select from pg_index i
          where i.indrelid = to_regclass('oms.orleans_storage') and i.indisunique and i.indisvalid
            and i.indnullsnotdistinct and i.indpred is null
            and (
              select array_agg(a.attname::text order by a.attname::text)
              from pg_attribute a where a.attrelid = i.indrelid and a.attnum = any(i.indkey)
            ) = array['extension', 'grain_id_hash', 'n0', 'n1', 'service', 'type', 'type_hash'])
        """);

    static async Task<T> Ask<T>(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }
}
