using Microsoft.Extensions.DependencyInjection;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Catalogue;
using OrleansOms.Domain.Shared;
using OrleansOms.Host.Commands;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;
using Model = OrleansOms.Postgres.ReadModel;

namespace OrleansOms.Tests.ReadModel;

/// <summary>The follower on a long way through the log, in a whole program.</summary>
public sealed class RebuildTests
{
    /// <summary>More than it reads at once, also when it is far behind.</summary>
    const int Products = 13_000;

    [Fact]
    public async Task Lists_that_are_emptied_under_a_running_program_come_back_as_they_were()
    {
        await using var app = await OmsApp.Start();
        var log = app.Services.GetRequiredService<IEventLog>();
        await Task.WhenAll(Enumerable.Range(0, Products).Select(n => Put(log, $"P{n:D5}")));
        var before = await Until(app, Products + 3);

        await ((Model)app.Services.GetRequiredService<IReadModel>()).Rebuild();
        await Put(log, "LAST"); // any event wakes the follower

        var after = await Until(app, Products + 4);
        Assert.Equal(before, after.Where(p => !p.StartsWith("LAST ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_command_makes_lists_anew_that_were_changed_by_hand_beside_the_running_program()
    {
        await using var app = await OmsApp.Start();
        var order = await app.Api.Place(Api.Order(("A", 1)));
        await app.CountEvents();
        await app.Database.Execute("update oms.orders set number = 'another'; update oms.order_counts set orders = orders + 7");
        Assert.Equal(CheckCommand.Broken, await Check());

        Assert.Equal(0, await ListsCommand.Run(
            ["rebuild"], app.Database.Source, TimeProvider.System, TextWriter.Null, TextWriter.Null));

        Assert.Equal(CheckCommand.Holds, await Check());
        // The program's own follower goes on from there.
        var later = await app.Api.Place(Api.Order(("A", 1)));
        await OmsApp.Until(() => app.Database.Ask<string[]>("select array_agg(id order by number) from oms.orders"),
            ids => ids.SequenceEqual([order.Id(), later.Id()]));

        Task<int> Check() => CheckCommand.Run(app.Database.Source, TimeProvider.System, TextWriter.Null, TextWriter.Null);
    }

    [Fact]
    public async Task Lists_of_a_store_that_was_never_started_are_not_made_and_its_logs_are_not_chosen()
    {
        await using var database = await TestDatabase.Create();
        await Assert.ThrowsAsync<InvalidOperationException>(() => ListsCommand.Run(
            ["rebuild"], database.Source, TimeProvider.System, TextWriter.Null, TextWriter.Null));
        Assert.Equal(0, await database.Ask<long>("select count(*) from oms.logs"));
    }

    static Task<AppendResult> Put(IEventLog log, string sku) => log.Append(new Append(new StreamEvents(
        Keys.Product + sku, 0,
        [new NewEvent(new ProductPut(sku, new ProductDetails(sku, 100, null)), $"{sku}/put", "system", DateTimeOffset.UtcNow)])))
        .AsTask();

    static Task<string[]> Until(OmsApp app, int count) => OmsApp.Until(
        () => app.Database.Ask<string[]>(
            "select coalesce(array_agg(sku || ' ' || version || ' ' || name order by sku), '{}') from oms.products"),
        rows => rows.Length == count);
}
