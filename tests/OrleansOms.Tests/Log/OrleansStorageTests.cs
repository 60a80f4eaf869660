using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Runtime;
using Orleans.Storage;
using OrleansOms.Postgres;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Log;

/// <summary>A grain that counts its ticks in AdoNet storage.</summary>
[Alias("oms.tests.ITickingGrain")]
public interface ITickingGrain : IGrainWithStringKey
{
    [Alias("Start")] Task Start();
    [Alias("Stop")] Task Stop();
    [Alias("Ticks")] Task<int> Ticks();
    [Alias("Reminders")] Task<int> Reminders();
    [Alias("Forget")] Task Forget();
}

[GenerateSerializer, Alias("oms.tests.TickingState")]
public sealed class TickingState
{
    [Id(0)] public int Ticks { get; set; }
}

public sealed class TickingGrain(
    [PersistentState("ticking", OrleansStorageTests.Storage)] IPersistentState<TickingState> state)
    : Grain, ITickingGrain, IRemindable
{
    public Task Start() =>
        this.RegisterOrUpdateReminder("tick", TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(200));

    public async Task Stop() => await this.UnregisterReminder((await this.GetReminder("tick"))!);

    public Task<int> Ticks() => Task.FromResult(state.State.Ticks);

    public async Task<int> Reminders() => (await this.GetReminders()).Count;

    public Task Forget() => state.ClearStateAsync();

    public Task ReceiveReminder(string reminderName, TickStatus status)
    {
        state.State.Ticks++;
        return state.WriteStateAsync();
    }
}

/// <summary>Real silos on our own SQL for membership, reminders and storage.</summary>
public sealed class OrleansStorageTests
{
    internal const string Storage = "snapshots";
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Of_two_first_writes_at_once_exactly_one_is_acknowledged()
    {
        await using var database = await TestDatabase.Create(maxPoolSize: 30);
        using var one = await StartSilo(database, "one");
        using var two = await StartSilo(database, "two");
        IGrainStorage[] storages =
        [
            one.Services.GetRequiredKeyedService<IGrainStorage>(Storage),
            two.Services.GetRequiredKeyedService<IGrainStorage>(Storage),
        ];
        for (var race = 0; race < 100; race++)
        {
            // Both kinds of key: with an extension string, and with an integer and none.
            var id = race % 2 == 0 ? GrainId.Create("ticking", $"ord-{race}") : GrainId.Create("ticking", race.ToString());
            var outcomes = await Task.WhenAll(storages.Select((s, i) => Task.Run(() => Write(s, id, i + 1))));

            Assert.Single(outcomes, true);
            var read = new GrainState<TickingState>();
            await storages[0].ReadStateAsync("ticking", id, read);
            Assert.Equal((true, Array.IndexOf(outcomes, true) + 1), (read.RecordExists, read.State!.Ticks));
        }
        Assert.Equal(100, await database.Ask<long>("select count(*) from oms.orleans_storage"));
    }

    [Fact]
    public async Task A_write_on_a_stale_version_is_refused_and_a_cleared_state_can_be_written_again()
    {
        await using var database = await TestDatabase.Create();
        using var silo = await StartSilo(database, "one");
        var storage = silo.Services.GetRequiredKeyedService<IGrainStorage>(Storage);
        var deleting = silo.Services.GetRequiredKeyedService<IGrainStorage>("deleting");
        var id = GrainId.Create("ticking", "ord-1");
        foreach (var one in new[] { storage, deleting })
        {
            var (mine, theirs) = (new GrainState<TickingState>(), new GrainState<TickingState>());
            await one.ReadStateAsync("a", id, mine);
            mine.State!.Ticks = 1;
            await one.WriteStateAsync("a", id, mine);
            await one.ReadStateAsync("a", id, theirs);
            theirs.State!.Ticks = 2;
            await one.WriteStateAsync("a", id, theirs);

            await Assert.ThrowsAsync<InconsistentStateException>(() => one.WriteStateAsync("a", id, mine));
            await Assert.ThrowsAsync<InconsistentStateException>(() => one.ClearStateAsync("a", id, mine));
            await one.ClearStateAsync("a", id, theirs);
            theirs.State.Ticks = 3;
            await one.WriteStateAsync("a", id, theirs);
            await one.ReadStateAsync("a", id, mine);
            Assert.Equal(3, mine.State.Ticks);
            await one.ClearStateAsync("a", id, mine);
        }
    }

    [Fact]
    public async Task Reminders_state_and_membership_outlive_a_silo()
    {
        await using var database = await TestDatabase.Create(maxPoolSize: 30);
        int before;
        using (var first = await StartSilo(database, "cluster"))
        {
            var grain = first.Services.GetRequiredService<IGrainFactory>().GetGrain<ITickingGrain>("ord-tick");
            await grain.Start();
            await Until(async () => await grain.Ticks() >= 2);
            Assert.Equal(1, await database.Ask<long>("select count(*) from oms.orleans_silo where status = 3"));
            Assert.Equal(1, await grain.Reminders());
            before = await grain.Ticks();
            await first.StopAsync(TestContext.Current.CancellationToken);
        }
        Assert.Equal(0, await database.Ask<long>("select count(*) from oms.orleans_silo where status = 3"));

        using var second = await StartSilo(database, "cluster");
        var again = second.Services.GetRequiredService<IGrainFactory>().GetGrain<ITickingGrain>("ord-tick");
        Assert.True(await again.Ticks() >= 2, "Its state was read.");
        await Until(async () => await again.Ticks() > before + 1);
        await again.Stop();
        Assert.Equal(0, await again.Reminders());
        Assert.Equal(0, await database.Ask<long>("select count(*) from oms.orleans_reminder"));
        await second.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Two_silos_find_each_other_and_dead_ones_are_cleaned_away()
    {
        await using var database = await TestDatabase.Create(maxPoolSize: 40);
        using var one = await StartSilo(database, "cluster");
        using var two = await StartSilo(database, "cluster");
        var management = one.Services.GetRequiredService<IGrainFactory>().GetGrain<IManagementGrain>(0);
        await Until(async () => (await management.GetHosts(onlyActive: true)).Count == 2);
        await two.StopAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, await database.Ask<long>("select count(*) from oms.orleans_silo where status = 6"));

        var table = one.Services.GetRequiredService<IMembershipTable>();
        await table.CleanupDefunctSiloEntriesAsync(DateTimeOffset.UtcNow.AddDays(-1), TestContext.Current.CancellationToken);
        Assert.Equal(2, await database.Ask<long>("select count(*) from oms.orleans_silo"));
        await table.CleanupDefunctSiloEntriesAsync(DateTimeOffset.UtcNow.AddDays(1), TestContext.Current.CancellationToken);

        Assert.Equal(1, await database.Ask<long>("select count(*) from oms.orleans_silo"));
        var left = await table.ReadAllAsync(TestContext.Current.CancellationToken);
        var stale = left.Members[0].Item1;
        Assert.False(await table.UpdateRowAsync(stale, "0", new TableVersion(1, "0"), TestContext.Current.CancellationToken));
        await one.StopAsync(TestContext.Current.CancellationToken);
        await table.DeleteMembershipTableEntriesAsync("cluster", TestContext.Current.CancellationToken);
        Assert.Equal(0, await database.Ask<long>("select count(*) from oms.orleans_cluster"));
    }

    static async Task<bool> Write(IGrainStorage storage, GrainId id, int ticks)
    {
        var state = new GrainState<TickingState>(new TickingState { Ticks = ticks });
        try
        {
            await storage.WriteStateAsync("ticking", id, state);
            return true;
        }
        catch (InconsistentStateException)
        {
            return false;
        }
    }

    static async Task<IHost> StartSilo(TestDatabase database, string clusterId)
    {
        var connectionString = OrleansSchema.ConnectionString(database.ConnectionString);
        var builder = Microsoft.Extensions.Hosting.Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.UseOrleans(silo =>
        {
            silo.Configure<ClusterOptions>(o => (o.ClusterId, o.ServiceId) = (clusterId, "oms"));
            silo.Configure<EndpointOptions>(o =>
            {
                o.AdvertisedIPAddress = IPAddress.Loopback;
                (o.SiloPort, o.GatewayPort) = (TestPort.Free(), TestPort.Free());
            });
            silo.Configure<ReminderOptions>(o => o.MinimumReminderPeriod = TimeSpan.FromMilliseconds(100));
            silo.UseAdoNetClustering(o => (o.Invariant, o.ConnectionString) = (OrleansSchema.Invariant, connectionString));
            silo.UseAdoNetReminderService(o =>
                (o.Invariant, o.ConnectionString) = (OrleansSchema.Invariant, connectionString));
            silo.AddAdoNetGrainStorage(Storage, o =>
                (o.Invariant, o.ConnectionString) = (OrleansSchema.Invariant, connectionString));
            silo.AddAdoNetGrainStorage("deleting", o =>
                (o.Invariant, o.ConnectionString, o.DeleteStateOnClear) =
                (OrleansSchema.Invariant, connectionString, true));
        });
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }

    static async Task Until(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!await condition())
            await Task.Delay(20, patience.Token);
    }
}
