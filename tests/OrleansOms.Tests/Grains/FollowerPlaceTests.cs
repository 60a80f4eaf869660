using Orleans.Runtime;
using OrleansOms.Contracts.Log;
using OrleansOms.Grains.Followers;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Grains;

[Collection(AloneCollection.Name)]
public sealed class FollowerPlaceTests
{
    [Fact]
    public async Task Followers_share_the_silos_that_there_are_and_go_on_when_one_goes()
    {
        await using var silos = await Silos.Start(silos: 3);
        var management = silos.Grains.GetGrain<IManagementGrain>(0);

        var homes = await Silos.Until(Homes, h => h.Values.Distinct().Count() == 3);
        Assert.Equal([homes["fulfilment"]], new[] { "fulfilment", "backorders", "reservation-watch" }.Select(f => homes[f]).Distinct());

        await silos.Cluster.StopSiloAsync(silos.Cluster.Silos.Single(s => s.SiloAddress.Equals(homes["read-model"])));
        var rest = await Silos.Until(
            Homes, h => !h.ContainsValue(homes["read-model"]) && h["read-model"]?.Equals(h["fulfilment"]) == false
                && h["law-watch"]?.Equals(h["fulfilment"]) == true);
        Assert.Equal(2, rest.Values.Distinct().Count());

        await silos.Receive("LON", "A", 5);
        var order = await silos.Place(lines: ("A", 1));
        var last = Checkpoint.At((await silos.Log.ReadStream(order.Id))[^1].Position);
        await Silos.Until(() => new OrleansOms.Postgres.ReadModel(silos.Database.Source, silos.Log).Begin(), at => at.Covers(last));

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
}
