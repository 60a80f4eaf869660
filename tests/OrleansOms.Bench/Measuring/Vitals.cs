using System.Globalization;
using System.Net.Http.Headers;
using Npgsql;
using OrleansOms.Bench.Running;

namespace OrleansOms.Bench.Measuring;

/// <summary>
/// What a program and its database hold at a moment: the things that grow when something is never let go. Read from
/// outside: from <c>/proc</c>, from the program's own figures and from PostgreSQL's.
/// </summary>
public sealed class Vitals(OmsProcess oms, string connectionString) : IAsyncDisposable
{
    /// <summary>One of the figures, and what counts as the same as before.</summary>
    /// <param name="Name">With the unit in it.</param>
    /// <param name="Title">For people.</param>
    /// <param name="Factor">So many times as much is still level.</param>
    /// <param name="Slack">And so much more.</param>
    public sealed record Figure(string Name, string Title, double Factor, double Slack)
    {
        /// <summary>Whether it is now as it was.</summary>
        public bool IsLevel(double early, double late) => late <= early * Factor + Slack;
    }

    /// <summary>Minutes since the start; the first of each set of figures.</summary>
    public const string Minutes = "minutes";

    /// <summary>Orders that are stored.</summary>
    public const string Orders = "orders";

    /// <summary>What must not grow.</summary>
    public static IReadOnlyList<Figure> Level { get; } =
    [
        new("residentMegabytes", "resident, MB", 1.1, 20), new("heapMegabytes", "managed heap after a collection, MB", 1.2, 20),
        new("handles", "open files and sockets", 1.05, 10), new("connections", "connections to PostgreSQL", 1, 2),
        new("lagSeconds", "follower that is farthest behind, s", 1.5, 1),
        new("deadShare", "dead rows of all rows in the lists", 1.5, 0.03),
        new("bytesPerOrder", "bytes of tables and indexes for an order", 1.1, 0),
        new("answerP99Ms", "p99 of the last requests, ms", 1.5, 20),
    ];

    // Rows of the log are never changed, so it has no dead ones.
    const string Question = """
        select pg_database_size(current_database()),
          (select count(*) from pg_stat_activity where datname = current_database()),
          (select coalesce(sum(n_dead_tup)::float8 / nullif(sum(n_live_tup + n_dead_tup), 0), 0)
            from pg_stat_user_tables where schemaname = 'oms' and relname in
              ('orders', 'order_search', 'order_lines', 'order_counts', 'shipments', 'stock', 'checkpoint')),
          (select coalesce(sum(orders), 0)::bigint from oms.order_counts where warehouse = '')
        """;

    readonly NpgsqlDataSource _database = NpgsqlDataSource.Create(
        new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = 1 }.ConnectionString);
    readonly HttpClient _http = new()
    {
        BaseAddress = oms.Url,
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", OmsProcess.ApiKey) },
    };
    readonly long _start = TimeProvider.System.GetTimestamp();
    (long Bytes, long Orders)? _first;

    /// <summary>How it is now. Bytes are counted from the first look on: what was there before is no order's.</summary>
    public async Task<Dictionary<string, double>> Look()
    {
        var metrics = (await _http.GetStringAsync("/metrics")).Split('\n');
        await using var ask = _database.CreateCommand(Question);
        await using var row = await ask.ExecuteReaderAsync();
        await row.ReadAsync();
        var (bytes, orders) = (row.GetInt64(0), row.GetInt64(3));
        _first ??= (bytes, orders);
        var look = new Dictionary<string, double>
        {
            [Minutes] = TimeProvider.System.GetElapsedTime(_start).TotalMinutes, [Orders] = orders,
            ["residentMegabytes"] = Cpu.ResidentMegabytes(oms.Pid),
            ["heapMegabytes"] = Values(metrics, "dotnet_gc_last_collection_heap_size_bytes").Sum() / 1e6,
            ["handles"] = Directory.Exists($"/proc/{oms.Pid}/fd") ? Directory.GetFiles($"/proc/{oms.Pid}/fd").Length : 0,
            ["connections"] = row.GetInt64(1), ["deadShare"] = row.GetDouble(2),
            ["lagSeconds"] = Values(metrics, "oms_follower_lag_seconds").DefaultIfEmpty().Max(),
        };
        if (orders > _first.Value.Orders)
            look["bytesPerOrder"] = (bytes - _first.Value.Bytes) / (double)(orders - _first.Value.Orders);
        return look;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _database.DisposeAsync();
    }

    /// <summary>Values of a figure in the text that Prometheus reads: name, labels, value, time.</summary>
    static IEnumerable<double> Values(IEnumerable<string> metrics, string name) => metrics
        .Where(l => l.StartsWith(name, StringComparison.Ordinal) && l.Length > name.Length && l[name.Length] is '{' or ' ')
        .Select(l => double.Parse(l[(l.LastIndexOf('}') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0] is var v
            && l.Contains('}') ? v : l.Split(' ')[1], CultureInfo.InvariantCulture));
}
