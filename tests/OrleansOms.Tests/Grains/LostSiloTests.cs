using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Orleans.Configuration;
using Orleans.Messaging;
using Orleans.Runtime;
using Orleans.Serialization;
using OrleansOms.Contracts.Stock;
using OrleansOms.Host;
using OrleansOms.Host.Cluster;
using OrleansOms.Host.Errors;
using OrleansOms.Tests.Fixtures;
using Polly.Timeout;

namespace OrleansOms.Tests.Grains;

/// <summary>Who is told that a silo is lost, and when; and what a front end believes of silos that stop.</summary>
public sealed class LostSiloTests
{
    [Theory, InlineData(false), InlineData(true)]
    public async Task Who_asked_a_lost_silo_is_told_when_the_front_end_has_looked_who_is_left(bool isSilent)
    {
        var (table, heard) = (new Table(), new Heard());
        var gateways = new GatewayList(table);
        var loses = new AfterCall(nameof(IStockGrain.Get));
        await using var silos = await Silos.Start(
            adjust: silo => silo.AddSingleton<IIncomingGrainCallFilter>(loses),
            adjustClient: client => client
                .AddSingleton<IOutgoingGrainCallFilter>(new LostSilo(gateways, new FakeTimeProvider()))
                .AddSingleton<IOutgoingGrainCallFilter>(heard));
        loses.Do = () => throw (isSilent ? new TimeoutException("Nothing was heard.") : new SiloUnavailableException("It is gone."));
        // One look has begun before: it may have been too early.
        var early = new TaskCompletionSource<IList<Uri>>();
        table.Next = early.Task;
        var first = gateways.GetGateways();
        var asked = silos.Stock("LON", "A").Get();
        await heard.Lost;
        early.SetResult([new Uri("gwy.tcp://127.0.0.1:1/0")]);
        await first;
        // Others are answered meanwhile.
        Assert.Equal("B", (await silos.Stock("LON", "B").Get()).Sku);
        // One look fails, and who is left is as it was.
        table.Next = Task.FromException<IList<Uri>>(new InvalidOperationException("the table cannot be read"));
        Assert.Equal("gwy.tcp://127.0.0.1:1/0", Assert.Single(await gateways.GetGateways()).ToString());
        Assert.Equal("C", (await silos.Stock("LON", "C").Get()).Sku);
        Assert.False(asked.IsCompleted);
        table.Next = Task.FromResult<IList<Uri>>([]);
        Assert.Empty(await gateways.GetGateways());
        if (isSilent) await Assert.ThrowsAsync<TimeoutException>(() => asked);
        else await Assert.ThrowsAsync<SiloUnavailableException>(() => asked);
    }

    [Fact]
    public async Task Nobody_waits_longer_than_a_second_for_that()
    {
        var (time, heard) = (new FakeTimeProvider(), new Heard());
        var loses = new AfterCall(nameof(IStockGrain.Get));
        await using var silos = await Silos.Start(
            adjust: silo => silo.AddSingleton<IIncomingGrainCallFilter>(loses),
            adjustClient: client => client
                .AddSingleton<IOutgoingGrainCallFilter>(new LostSilo(new GatewayList(new Table()), time))
                .AddSingleton<IOutgoingGrainCallFilter>(heard));
        loses.Do = () => throw new SiloUnavailableException("It is gone.");
        var asked = silos.Stock("LON", "A").Get();
        await heard.Lost;
        await Assert.ThrowsAsync<SiloUnavailableException>(() => Silos.Until(
            () => Task.FromResult(asked), a =>
            {
                time.Advance(LostSilo.Patience);
                return a.IsCompleted;
            }).Unwrap());
    }

    [Fact]
    public async Task A_front_end_looks_often_and_believes_for_longer_what_a_stopping_silo_has_told_it()
    {
        await using var database = await TestDatabase.Create();
        await using var web = await OmsHost.Build(["--Oms:Role=web", "--urls=http://127.0.0.1:0"], database.ConnectionString);
        var services = web.Web.Services;
        Assert.IsType<GatewayList>(services.GetRequiredService<IGatewayListProvider>());
        Assert.Single(services.GetServices<IOutgoingGrainCallFilter>().OfType<LostSilo>());
        var options = services.GetRequiredService<IOptions<GatewayOptions>>().Value;
        Assert.Equal(GatewayList.Look, options.GatewayListRefreshPeriod);
        Assert.True(services.GetRequiredService<IGatewayListProvider>().MaxStaleness > Handover.OnTheWay + GatewayList.Look);
    }

    /// <summary>What a silo is asked may hang on an answer that was lost on its way; whoever asks again must not hang on the same one.</summary>
    [Fact]
    public async Task Nobody_waits_for_the_place_of_a_grain_longer_than_a_front_end_does_and_why_can_be_told()
    {
        await using var database = await TestDatabase.Create();
        await using var web = await OmsHost.Build(["--Oms:Role=web", "--urls=http://127.0.0.1:0"], database.ConnectionString);
        await using var silo = await OmsHost.Build(
            ["--Oms:Role=silo", "--urls=http://127.0.0.1:0", "--Oms:Silo:Port=0", "--Oms:Silo:GatewayPort=0"], database.ConnectionString);
        Assert.True(
            silo.Web.Services.GetRequiredService<IOptions<SiloMessagingOptions>>().Value.PlacementTimeout
            <= web.Web.Services.GetRequiredService<IOptions<ClientMessagingOptions>>().Value.ResponseTimeout);

        Exception given = new TimeoutException("It could not be placed.", new TimeoutRejectedException("It took too long."));
        var told = silo.Web.Services.GetRequiredService<Serializer>().SerializeToArray(given);
        var heard = web.Web.Services.GetRequiredService<Serializer>().Deserialize<Exception>(told);
        Assert.Equal((given.Message, given.InnerException!.Message), (Assert.IsType<TimeoutException>(heard).Message, heard.InnerException!.Message));
        Assert.Equal(503, ProblemMiddleware.Of(heard).Status);
    }

    /// <summary>A table that answers what it is told to.</summary>
    sealed class Table : IGatewayListProvider
    {
        public Task<IList<Uri>> Next { get; set; } = Task.FromResult<IList<Uri>>([]);
        public TimeSpan MaxStaleness => throw new NotSupportedException();
        public bool IsUpdatable => true;
        public Task InitializeGatewayListProvider() => Task.CompletedTask;
        public Task<IList<Uri>> GetGateways() => Next;
    }

    /// <summary>What this process was told, before anything else is done with it.</summary>
    sealed class Heard : IOutgoingGrainCallFilter
    {
        readonly TaskCompletionSource _lost = new();

        public Task Lost => _lost.Task;

        public async Task Invoke(IOutgoingGrainCallContext context)
        {
            try { await context.Invoke(); }
            catch (Exception e) when (e is SiloUnavailableException or TimeoutException)
            {
                // The other filter goes on in this very moment, before whoever waits for this one does.
                _ = Task.Run(_lost.TrySetResult);
                throw;
            }
        }
    }
}
