using Npgsql;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Processes;

namespace OrleansOms.Tests.Operation;

/// <summary>Back to a moment: with the commands that the runbook has, on real servers.</summary>
[Collection(AloneCollection.Name)]
public sealed class RecoveryTests
{
    [Fact]
    public async Task A_server_is_brought_back_to_a_moment_and_has_what_was_acknowledged_before_it_and_nothing_after()
    {
        await using var server = await PlainPostgres.Start();
        IReadOnlyList<(string, string)> variables =
            [.. server.Variables, ("ARCHIVE", await server.MakeFolder("archive")), ("BASE", Path.Combine(server.Folder, "base"))];
        await Runbook.Run(["archive"], server.Folder, variables, server.Account);
        await using var program = new OmsProcess(server.ConnectionTo("oms"), Trade.Address);
        await program.Start();
        using var trade = await Trade.Begin(program.Url);
        await Runbook.Run(["base"], server.Folder, variables, server.Account);
        await trade.Until(more: 10);

        var moment = trade.Now;
        var then = await server.Ask<string>("select clock_timestamp()::text");
        var after = trade.Now;
        await trade.Until(more: 10);
        await trade.End();

        await using var recovered = await PlainPostgres.Place();
        await Runbook.Run(["last of the archive"], server.Folder, variables, server.Account);
        await Runbook.Run(
            ["recover"], recovered.Folder,
            [.. variables.Where(v => v.Item1 is not ("PGDATA" or "PGPORT")), ("MOMENT", then), .. recovered.Variables], server.Account);
        await using var source = NpgsqlDataSource.Create(recovered.ConnectionTo("oms"));
        var orders = await Trade.OrdersOf(source);
        var (before, lost) = (trade.PlacedBefore(moment), trade.PlacedAfter(after));
        Assert.All(before, o => Assert.Contains(o.Json["id"]!.GetValue<string>(), orders));
        Assert.NotEmpty(lost);
        Assert.All(lost, o => Assert.DoesNotContain(o.Json["id"]!.GetValue<string>(), orders));

        // The other one still runs, with members that stand in this copy too: a rehearsal is a cluster of its own.
        await using var again = new OmsProcess(recovered.ConnectionTo("oms"), Trade.Address, ("Oms__Silo__ClusterId", "rehearsal"));
        await again.Start();
        await Trade.Check(again, source, before);
    }
}
