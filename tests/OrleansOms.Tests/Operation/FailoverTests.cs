using Npgsql;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Processes;

namespace OrleansOms.Tests.Operation;

/// <summary>Two servers, and the first one dies: with the commands that the runbook has.</summary>
[Collection(AloneCollection.Name)]
public sealed class FailoverTests
{
    [Fact]
    public async Task When_the_primary_dies_the_standby_has_every_acknowledged_order_and_the_program_goes_on_by_itself()
    {
        await using var first = await PlainPostgres.Start();
        await using var second = await StandbyOf(first);
        await using var program = new OmsProcess(ConnectionTo(first, second), Trade.Address);
        await program.Start();
        using var trade = await Trade.Begin(program.Url);
        await first.Kill();
        await Runbook.Run(["failover"], second.Folder, second.Variables, second.Account);
        await trade.Until(more: 20);
        await trade.End();

        await using var source = NpgsqlDataSource.Create(second.ConnectionTo("oms"));
        await Trade.Check(program, source, trade.PlacedBefore(trade.Now));
        Assert.Single(program.Said, l => l.Contains("OrleansOms is up", StringComparison.Ordinal));
    }

    /// <summary>A standby that follows, and without which the first one acknowledges nothing.</summary>
    static async Task<PlainPostgres> StandbyOf(PlainPostgres first)
    {
        var second = await PlainPostgres.Place();
        await Runbook.Run(
            ["standby"], second.Folder, [.. second.Variables, ("PRIMARY", "127.0.0.1"), ("PRIMARY_PORT", $"{first.Port}")], second.Account);
        await Runbook.Run(["synchronous"], first.Folder, first.Variables);
        await Silos.Until(() => first.Ask<string>("select coalesce(string_agg(sync_state, ' '), '') from pg_stat_replication"), s => s == "quorum");
        return second;
    }

    static string ConnectionTo(PlainPostgres first, PlainPostgres second) =>
        $"Host=127.0.0.1:{first.Port},127.0.0.1:{second.Port};Target Session Attributes=primary;Host Recheck Seconds=1;"
        + "Username=oms;Database=oms;SslMode=Disable;GssEncryptionMode=Disable";
}
