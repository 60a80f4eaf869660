using Npgsql;
using NpgsqlTypes;

namespace OrleansOms.Postgres.Log;

/// <summary>Parameters of the log's statements, by position.</summary>
static class LogSql
{
    /// <summary>Our own SQLSTATE, raised by <c>oms.require_heads</c>.</summary>
    public const string Gap = "OM001";

    public static NpgsqlParameter Texts(string[] values) =>
        new NpgsqlParameter<string[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text };

    /// <summary>JSON in UTF-8, which is what the database stores: it goes there without being made text first.</summary>
    public static NpgsqlParameter Jsons(byte[][] values) =>
        new NpgsqlParameter<byte[][]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Json };

    public static NpgsqlParameter Integers(int[] values) =>
        new NpgsqlParameter<int[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Integer };

    public static NpgsqlParameter Times(DateTime[] values) => new NpgsqlParameter<DateTime[]>
    {
        TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz,
    };

    public static NpgsqlParameter Transaction(long value) =>
        new NpgsqlParameter<ulong> { TypedValue = (ulong)value, NpgsqlDbType = NpgsqlDbType.Xid8 };

    public static NpgsqlParameter Transactions(long[] values) => new NpgsqlParameter<ulong[]>
    {
        TypedValue = Array.ConvertAll(values, v => (ulong)v), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Xid8,
    };

    public static NpgsqlParameter Of<T>(T value) => new NpgsqlParameter<T> { TypedValue = value };

    /// <summary>
    /// A limit of its own for preparing: it takes locks as the statement does, and Npgsql does not apply the
    /// statement's time to it. Prepared statements stay with the pooled connection, so it is a round trip only once.
    /// </summary>
    public static async Task PrepareInTime(Func<CancellationToken, Task> prepare, int seconds)
    {
        using var time = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        try
        {
            await prepare(time.Token);
        }
        catch (OperationCanceledException e)
        {
            throw new NpgsqlException($"No statement could be prepared in {seconds} s.", e);
        }
    }
}
