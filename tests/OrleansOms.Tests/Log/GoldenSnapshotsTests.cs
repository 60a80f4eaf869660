using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Orleans.Runtime;
using Orleans.Storage;
using OrleansOms.Grains.Stock;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Log;

/// <summary>
/// What a snapshot was stored as is read for ever. Each shape has a file with the bytes as they were stored, by the number of
/// its members and, since the format is the project's own, its format; none is ever edited (<see cref="GoldenFilesTests"/>).
/// A new member gets a new sample and with it a new file, written by running with <c>OMS_WRITE_GOLDEN=1</c>.
/// </summary>
public sealed class GoldenSnapshotsTests
{
    const string Name = "stock-snapshot";
    static readonly GrainId Stock = GrainId.Create("oms-stock", "stk-LON/golden");

    static StockSnapshot OfSixMembers => new()
    {
        Version = 500, OnHand = 40, Remembered = ["mov-1/0/do", "ord-1/4"], Failed = ["ord-2"], KnownEvents = 38,
        Reservations = { ["ord-1/1"] = new SnapshotReservation { Quantity = 6, Commands = ["ord-1/a", "ord-1/b"] } },
    };

    static StockSnapshot OfEightMembers
    {
        get
        {
            var snapshot = OfSixMembers;
            (snapshot.Damaged, snapshot.Quarantine) = (3, 2);
            return snapshot;
        }
    }

    static StockSnapshot OfNineMembers
    {
        get
        {
            var snapshot = OfEightMembers;
            snapshot.Given["web"] = 7;
            return snapshot;
        }
    }

    /// <summary>By the name of the file. The shape before, of five members, is in the store of 0.1.0.</summary>
    static readonly IReadOnlyDictionary<string, StockSnapshot> Samples = new Dictionary<string, StockSnapshot>
    {
        ["stock-snapshot.6"] = OfSixMembers,
        ["stock-snapshot.6.plain"] = OfSixMembers,
        ["stock-snapshot.8.plain"] = OfEightMembers,
        ["stock-snapshot.9.plain"] = OfNineMembers,
    };

    static string PathOf(string file) => Path.Combine(GoldenFiles.Snapshots, $"{file}.json");

    public static TheoryData<string> Files => new(Samples.Keys);

    [Theory, MemberData(nameof(Files))]
    public async Task A_stored_snapshot_is_read_for_ever(string file)
    {
        await using var app = await OmsApp.Start();
        var storage = app.Services.GetRequiredKeyedService<IGrainStorage>(SnapshotStore.Name);
        await storage.WriteStateAsync(Name, Stock, new GrainState<StockSnapshot>(Samples[file]));
        GoldenFiles.WriteIfNew(PathOf(file), Encoding.UTF8.GetString(await app.Database.Ask<byte[]>("select payload from oms.orleans_storage")));

        // In the place of what this program writes, what was once stored.
        await using var put = app.Database.Source.CreateCommand("update oms.orleans_storage set payload = $1");
        put.Parameters.Add(new NpgsqlParameter { Value = await File.ReadAllBytesAsync(PathOf(file)) });
        Assert.Equal(1, await put.ExecuteNonQueryAsync());
        var read = new GrainState<StockSnapshot>(new StockSnapshot());
        await storage.ReadStateAsync(Name, Stock, read);
        Assert.True(read.RecordExists);
        Assert.Equivalent(Samples[file], read.State, strict: true);
        // Programs of before, whose own are in the format of Orleans, read it too.
        var older = app.Services.GetRequiredService<IGrainStorageSerializer>();
        Assert.Equivalent(Samples[file], older.Deserialize<StockSnapshot>(new BinaryData(await File.ReadAllBytesAsync(PathOf(file)))), strict: true);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\u0001\u0002")]
    [InlineData("{\"Version\":500,\"OnHand\":40")]
    [InlineData("{\"Version\":\"many\"}")]
    [InlineData("{\"Version\":500,\"Remembered\":null}")]
    [InlineData("{\"Version\":500,\"Remembered\":[1]}")]
    [InlineData("{\"Version\":500,\"Remembered\":{}}")]
    [InlineData("{\"Version\":500,\"Remembered\":{\"$type\":\"List\",\"$values\":[\"a\"")]
    [InlineData("{\"Version\":500,\"Reservations\":[]}")]
    [InlineData("{\"Version\":500,\"Reservations\":{\"ord-1/1\":null}}")]
    [InlineData("{\"Version\":500,\"Reservations\":{\"ord-1/1\":{\"Quantity\":1,\"Commands\":null}}}")]
    [InlineData("{\"Version\":500,\"Reservations\":{\"ord-1/1\":{\"Quantity\":1")]
    public void What_is_no_snapshot_is_said_to_be_none(string stored)
    {
        var read = new SnapshotFormat(NullLogger<SnapshotFormat>.Instance).Deserialize<StockSnapshot>(new BinaryData(stored));
        Assert.Equivalent(new StockSnapshot(), read, strict: true);
    }

    [Fact]
    public void Every_sample_has_its_file_and_every_member_is_in_one()
    {
        Assert.Equal(
            Samples.Keys.Order(StringComparer.Ordinal),
            Directory.GetFiles(GoldenFiles.Snapshots).Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal));
        string[] texts = [.. Samples.Keys.Select(f => File.ReadAllText(PathOf(f)))];
        Assert.Empty(Missing(texts));
        Assert.Equal(["StockSnapshot.KnownEvents"], Missing([.. texts.Select(t => t.Replace("\"KnownEvents\":", "\"Known\":"))]));
    }

    static IEnumerable<string> Missing(string[] texts) => ((Type[])[typeof(StockSnapshot), typeof(SnapshotReservation)])
        .SelectMany(t => t.GetProperties().Select(p => (Type: t.Name, p.Name)))
        .Where(p => !texts.Any(t => t.Contains($"\"{p.Name}\":", StringComparison.Ordinal)))
        .Select(p => $"{p.Type}.{p.Name}");
}
