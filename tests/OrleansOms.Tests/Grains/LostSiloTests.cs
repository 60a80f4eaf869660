using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Orleans.Runtime;
using OrleansOms.Contracts.Stock;
using OrleansOms.Host.Cluster;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Grains;

/// <summary>Who is told that a silo is lost, and when.</summary>
public sealed class LostSiloTests
{
    static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Who_asked_a_lost_silo_is_told_when_the_front_end_has_looked_who_is_left()
    {
        var (time, heard) = (new FakeTimeProvider(), new Heard());
        var loses = new AfterCall(nameof(IStockGrain.Get));
        await using var silos = await Silos.Start(
            adjust: silo => silo.AddSingleton<IIncomingGrainCallFilter>(loses),
            adjustClient: client => client
                .AddSingleton<IOutgoingGrainCallFilter>(new LostSilo(Look, time))
                .AddSingleton<IOutgoingGrainCallFilter>(heard));
        loses.Do = () => throw new SiloUnavailableException("It is gone, and nobody knows what it has done.");
        var asked = silos.Stock("LON", "A").Get();
        await heard.Lost;
        time.Advance(Look / 2);
        // Others are answered meanwhile, and are told what they ask.
        Assert.Equal("B", (await silos.Stock("LON", "B").Get()).Sku);
        Assert.False(asked.IsCompleted);
        await Assert.ThrowsAsync<SiloUnavailableException>(() => Silos.Until(
            () => Task.FromResult(asked), a =>
            {
                time.Advance(Look / 2);
                return a.IsCompleted;
            }).Unwrap());
    }

    /// <summary>What this process was told, before anything else is done with it.</summary>
    sealed class Heard : IOutgoingGrainCallFilter
    {
        readonly TaskCompletionSource _lost = new();

        public Task Lost => _lost.Task;

        public async Task Invoke(IOutgoingGrainCallContext context)
        {
            try { await context.Invoke(); }
            catch (SiloUnavailableException)
            {
                // The other filter goes on in this very moment, before whoever waits for this one does.
                _ = Task.Run(_lost.TrySetResult);
                throw;
            }
        }
    }
}
