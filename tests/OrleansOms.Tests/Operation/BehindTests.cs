using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OrleansOms.Contracts.Log;
using OrleansOms.Tests.ApiTests;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Operation;

/// <summary>A process that has not read all of the log.</summary>
public sealed class BehindTests
{
    [Fact]
    public async Task One_that_starts_far_behind_lives_takes_no_orders_and_is_ready_when_it_has_read_the_rest()
    {
        var slow = new SlowLog();
        await using var app = new OmsApp { Adjust = services => services.AddSingleton(slow.Around(services)) };
        await app.InitializeAsync();
        var sku = await app.NewProduct(5);
        await app.Api.Place(Api.Order((sku, 1)));
        await app.CountEvents();
        var (order, key) = (Api.Order((sku, 1)), Api.NewKey());
        using (slow.HoldReads())
        {
            await app.Restart();
            Assert.Equal(200, (await app.Api.Get("/health/live")).Status);
            Assert.Equal(503, (await app.Api.Get("/health/ready")).Status);
            var answer = await app.Api.Post("/api/v1/orders", order, key);
            Assert.Equal((503, "unavailable"), (answer.Status, answer.Code));
        }
        await OmsApp.Until(() => app.Api.Get("/health/ready"), a => a.Status == 200);
        Assert.Equal("allocated", (string?)(await app.Api.Place(order, key))["status"]);
    }

    [Fact]
    public async Task A_transaction_that_somebody_has_left_open_makes_nobody_unready_and_keeps_nobody_from_starting()
    {
        await using var app = await OmsApp.Start();
        await using var open = await app.Database.Source.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var begin = new NpgsqlCommand("begin; create table public.forgotten (x int)", open);
        await begin.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        await using (var beside = await app.StartBeside())
        {
            var sku = await beside.NewProduct(1);
            var placed = await app.Api.Place(Api.Order((sku, 1)));
            await app.Released(placed);
        }
        Assert.Equal(200, (await app.Api.Get("/health/ready")).Status);
    }

    [Fact]
    public async Task What_cannot_be_looked_up_is_not_called_unknown()
    {
        var slow = new SlowLog();
        await using var app = new OmsApp { Adjust = services => services.AddSingleton(slow.Around(services)) };
        await app.InitializeAsync();
        using (slow.HoldReads())
        {
            await app.AddProduct("D"); // Where nothing is stored, nothing is left to look up.
            var answer = await app.Api.Post("/api/v1/orders", Api.Order(("ONLY-JUST-THERE", 1)), Api.NewKey());
            Assert.Equal((503, "unavailable"), (answer.Status, answer.Code));
            Assert.Equal(503, (await app.Api.Get("/health/ready")).Status);
        }
        var known = await app.Api.Post("/api/v1/orders", Api.Order(("ONLY-JUST-THERE", 1)), Api.NewKey());
        Assert.Equal((422, "unknown_sku"), (known.Status, known.Code));
    }

    [Fact]
    public async Task Who_waits_for_a_standby_that_is_gone_stays_ready_for_those_who_look()
    {
        await using var app = await OmsApp.Start();
        await using var append = await app.Database.Source.OpenConnectionAsync(TestContext.Current.CancellationToken);
        // As an append is seen by others while it waits for its commit.
        await using var begin = new NpgsqlCommand("""
            begin;
            insert into oms.event (stream, version, type, data, command, actor, at)
            values ('ord-waits', 1, 'order.abandoned.v1', '{}', 'c', 'system', now())
            """, append);
        await begin.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        await app.Database.Execute("create table public.later (x int)");

        Assert.Equal(200, (await app.Api.Get("/health/ready")).Status);
        Assert.Equal(200, (await app.Api.Get("/api/v1/orders")).Status);
    }
}
