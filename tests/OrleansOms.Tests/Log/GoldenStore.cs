using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using OrleansOms.Postgres;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Log;

/// <summary>A request that was sent to the program of a golden store, and its answer.</summary>
sealed record GoldenRequest(string Path, string Key, string Body, int Status, string Answer);

/// <summary>
/// All that a version of the program has left behind in its database, and what its clients were told. The file has the names
/// of the migrations that had run, then each table's rows as PostgreSQL copies them, then the requests.
/// </summary>
static class GoldenStore
{
    const string End = @"\.", Migrations = "migrations", Requests = "requests";

    /// <summary>
    /// What is not a table's rows as they are: transactions are numbered from a small number on, so that every server has
    /// reached them, and every follower has heard them all.
    /// </summary>
    static readonly (string Table, string? Rows)[] Tables =
    [
        ("oms.event (stream, version, type, data, command, actor, at, xid, position)", """
            (select stream, version, type, data, command, actor, at, (10 + dense_rank() over (order by xid))::text::xid8, position
             from oms.event order by xid, position)
            """),
        ("oms.checkpoint (follower, transaction, position)", """
            (select follower, 10 + (select count(distinct xid) from oms.event), 9223372036854775807
             from oms.checkpoint order by follower)
            """),
        ("oms.claim", null), ("oms.orleans_reminder", null), ("oms.orleans_storage", null), ("oms.api_keys", null),
        ("oms.secrets", null), ("oms.products", null), ("oms.warehouses", null), ("oms.stock", null), ("oms.orders", null),
        ("oms.order_search", null), ("oms.order_lines", null), ("oms.order_counts", null), ("oms.shipments", null),
    ];

    public static string Folder => Path.Combine(GoldenFiles.Folder, "Stores");

    public static string PathOf(string version) => Path.Combine(Folder, $"{version}.txt");

    /// <summary>Writes what is in a database, once it has come to rest.</summary>
    public static async Task Write(string version, TestDatabase database, IEnumerable<GoldenRequest> requests)
    {
        Directory.CreateDirectory(Folder);
        await using var file = new StreamWriter(PathOf(version)) { NewLine = "\n" };
        await file.WriteLineAsync(Migrations);
        foreach (var name in await database.Ask<string[]>("select array_agg(scriptname order by schemaversionsid) from oms.migration"))
            await file.WriteLineAsync(name);
        await file.WriteLineAsync(End);
        await using var connection = await database.Source.OpenConnectionAsync();
        foreach (var (table, rows) in Tables)
        {
            await file.WriteLineAsync(table);
            using (var copy = await connection.BeginTextExportAsync($"copy {rows ?? table} to stdout"))
                await file.WriteAsync(await copy.ReadToEndAsync());
            await file.WriteLineAsync(End);
        }
        await file.WriteLineAsync(Requests);
        foreach (var request in requests) await file.WriteLineAsync(JsonSerializer.Serialize(request));
        await file.WriteLineAsync(End);
    }

    /// <summary>Puts a version's store into an empty database, with the schema that it had.</summary>
    public static async Task Load(string version, TestDatabase database)
    {
        await database.Execute("create schema oms");
        await database.Execute("""
            create table oms.migration (schemaversionsid serial primary key, scriptname varchar(255) not null, applied timestamp not null)
            """);
        foreach (var (section, lines) in Sections(version))
            if (section == Migrations)
                foreach (var script in lines)
                {
                    await database.Execute(await ScriptOf(script));
                    await database.Execute($"insert into oms.migration (scriptname, applied) values ('{script}', now())");
                }
            else if (section != Requests)
            {
                await using var connection = await database.Source.OpenConnectionAsync();
                await using var copy = await connection.BeginTextImportAsync($"copy {section} from stdin");
                foreach (var line in lines) await copy.WriteAsync($"{line}\n");
            }
    }

    /// <summary>What clients have asked of it, in that order.</summary>
    public static IReadOnlyList<GoldenRequest> RequestsOf(string version) =>
        [.. Sections(version).Single(s => s.Name == Requests).Lines.Select(l => JsonSerializer.Deserialize<GoldenRequest>(l)!)];

    static IEnumerable<(string Name, IReadOnlyList<string> Lines)> Sections(string version)
    {
        var lines = File.ReadAllLines(PathOf(version));
        for (var at = 0; at < lines.Length;)
        {
            var end = Array.IndexOf(lines, End, at);
            yield return (lines[at], lines[(at + 1)..end]);
            at = end + 1;
        }
    }

    static async Task<string> ScriptOf(string name)
    {
        await using var script = typeof(Migrator).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"{name} has run somewhere and is gone.");
        return await new StreamReader(script).ReadToEndAsync();
    }
}
