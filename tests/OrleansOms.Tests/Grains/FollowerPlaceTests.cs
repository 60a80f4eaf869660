using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains.Followers;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Grains;

[Collection(AloneCollection.Name)]
public sealed class FollowerPlaceTests
{
    [Fact]
    public async Task Followers_share_the_silos_that_there_are_and_go_on_when_one_goes()
    {
        await using var silos = await Silos.Start(silos: 3);
        var management = silos.Grains.GetGrain<IManagementGrain>(0);

        var homes = await Silos.Until(Homes, h => AreTogether(h) && h.Values.Distinct().Count() == 3);

        await silos.Cluster.StopSiloAsync(silos.Cluster.Silos.Single(s => s.SiloAddress.Equals(homes["read-model"])));
        await Silos.Until(Homes, h => AreTogether(h) && !h.ContainsValue(homes["read-model"])
            && Equals(h["law-watch"], h["fulfilment"]) && !Equals(h["read-model"], h["fulfilment"]));

        await silos.Receive("LON", "A", 5);
        var order = await silos.Place(lines: ("A", 1));
        var last = Checkpoint.At((await silos.Log.ReadStream(order.Id))[^1].Position);
        await Silos.Until(() => new OrleansOms.Postgres.ReadModel(silos.Database.Source, silos.Log).Begin(), at => at.Covers(last));

        static bool AreTogether(Dictionary<string, SiloAddress?> homes) =>
            !homes.ContainsValue(null) && Equals(homes["backorders"], homes["fulfilment"])
            && Equals(homes["reservation-watch"], homes["fulfilment"]);

        async Task<Dictionary<string, SiloAddress?>> Homes() => new()
        {
            ["read-model"] = await Home<IReadModelFollower>("read-model"),
            ["law-watch"] = await Home<ILawWatch>("law-watch"),
            ["fulfilment"] = await Home<IFulfilmentFollower>("fulfilment"),
            ["backorders"] = await Home<IBackorderFollower>("backorders"),
            ["reservation-watch"] = await Home<IReservationWatch>("reservation-watch"),
        };

        async Task<SiloAddress?> Home<T>(string name) where T : IFollower =>
            await management.GetActivationAddress(silos.Grains.GetGrain<T>($"{FollowerGrain.Prefix}{name}"));
    }

    [Fact]
    public async Task The_watch_of_the_laws_stays_while_it_knows_of_units_that_only_one_side_has()
    {
        var time = new ShiftedTime();
        await using var silos = await Silos.Start(adjust: services => services.AddSingleton<TimeProvider>(time));
        var (management, watch) = (
            silos.Grains.GetGrain<IManagementGrain>(0), silos.Grains.GetGrain<ILawWatch>($"{FollowerGrain.Prefix}law-watch"));
        await silos.Receive("LON", "A", 5);
        var stock = Keys.OfStock("LON", "A");
        await Store(1, new StockReserved("ord-nobody", [new LineUnits(1, 2)]));
        await silos.UntilHandled("law-watch");
        time.Ahead = TimeSpan.FromMinutes(1);

        var second = await silos.Cluster.StartAdditionalSiloAsync();
        var fulfilment = silos.Grains.GetGrain<IFulfilmentFollower>($"{FollowerGrain.Prefix}fulfilment");
        await Silos.Until(async () => await management.GetActivationAddress(fulfilment), home => second.SiloAddress.Equals(home));
        await watch.Ensure();
        await watch.Ensure();
        Assert.NotEqual(second.SiloAddress, await management.GetActivationAddress(watch));

        await Store(2, new ReservationReleased("ord-nobody", [new LineUnits(1, 2)], "test"));
        await Silos.Until(async () => await management.GetActivationAddress(watch), home => second.SiloAddress.Equals(home));

        async Task Store(int version, StockEvent entry) => Assert.IsType<AppendResult.Committed>(await silos.Log.Append(
            new Append(new StreamEvents(stock, version, [new NewEvent(entry, $"test-{version}", "test", DateTimeOffset.UtcNow)]))));
    }
}
