using System.Globalization;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Contracts.Waiting;
using OrleansOms.Domain.Shared;
using OrleansOms.Grains.Aggregates;

namespace OrleansOms.Grains.Waiting;

/// <summary>
/// Looks once a second whose time is up in its shard of <c>oms.waiting</c>, and tells them. They decide for themselves: the
/// row may be a moment older than they are. One that was told is left alone for a while, until the lists have heard of it.
/// </summary>
[GrainType("oms-sweeper"), KeepAlive, Reentrant]
public sealed partial class Sweeper(
    IReadModel readModel, IGrainFactory grains, TimeProvider time, OmsSettings settings, ILogger<Sweeper> logger)
    : Grain, ISweeper, IRemindable
{
    internal const string Reminder = "wake";

    /// <summary>Waits that are read at once.</summary>
    const int Batch = 500;

    /// <summary>Grains that are told at once.</summary>
    const int Parallel = 32;

    static readonly TimeSpan Look = TimeSpan.FromSeconds(1), Leave = TimeSpan.FromSeconds(30), Wake = TimeSpan.FromMinutes(1);

    /// <summary>Who was told, and until when they are left alone.</summary>
    readonly Dictionary<string, DateTimeOffset> _told = new(StringComparer.Ordinal);

    readonly SemaphoreSlim _turns = new(Parallel);

    int Shard => int.Parse(this.GetPrimaryKeyString().AsSpan(Keys.Sweeper.Length), CultureInfo.InvariantCulture);

    /// <summary>The key of a shard's sweeper.</summary>
    public static string KeyOf(int shard) => string.Create(CultureInfo.InvariantCulture, $"{Keys.Sweeper}{shard}");

    /// <inheritdoc />
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        this.RegisterGrainTimer(Sweep, new GrainTimerCreationOptions(TimeSpan.Zero, Look) { Interleave = true });
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public Task Begin() => this.RegisterOrUpdateReminder(Reminder, Wake, Wake).Reached();

    /// <summary>It is awake: that is all that the reminder is for.</summary>
    public Task ReceiveReminder(string reminderName, TickStatus status) => Task.CompletedTask;

    async Task Sweep(CancellationToken stop)
    {
        try
        {
            var now = time.GetUtcNow();
            foreach (var (key, until) in _told)
                if (now >= until) _told.Remove(key);
            while (await AllAreTold(now, stop)) { }
        }
        catch (OmsFaultException e) { LogBlind(logger, Shard, e.Message); }
    }

    /// <summary>Whether as many as are read at once were told, so that there may be more. Who does not answer holds up nobody else.</summary>
    async Task<bool> AllAreTold(DateTimeOffset now, CancellationToken stop)
    {
        var due = await readModel.FindWaits(Shard, new Dictionary<WaitKind, DateTimeOffset>
        {
            [WaitKind.Payment] = now, [WaitKind.Carrier] = now - settings.TrackingSilence, [WaitKind.Cart] = now,
        }, Batch, _told.Keys);
        foreach (var wait in due) _told[wait.Key] = now + Leave;
        var all = Task.WhenAll(due.Select(wait => TellInTurn(wait, now)));
        return await Task.WhenAny(all, Task.Delay(Look, time, stop)) == all && due.Count == Batch;
    }

    async Task TellInTurn(Wait wait, DateTimeOffset now)
    {
        await _turns.WaitAsync();
        try
        {
            // A cart that was held for longer, or by another clock, is looked at again with the next look: it has to end to the second.
            if (!await Tell(wait) && wait.Kind == WaitKind.Cart) _told[wait.Key] = now;
        }
        finally { _turns.Release(); }
    }

    /// <summary>False if it has to be told again.</summary>
    async Task<bool> Tell(Wait wait)
    {
        try
        {
            switch (wait.Kind)
            {
                case WaitKind.Payment: await grains.GetGrain<IOrderGrain>(wait.Key).ExpirePayment(); return true;
                case WaitKind.Carrier: await grains.GetGrain<IShipmentGrain>(wait.Key).CheckTracking(); return true;
                case WaitKind.Cart: return await grains.GetGrain<IOrderGrain>(wait.Key).ExpireReservation();
                default: throw new InvalidOperationException($"Nobody waits for {wait.Kind}.");
            }
        }
        // One that fails, for whatever reason, does not stand in the way of those who wait behind it.
        catch (Exception e)
        {
            LogLater(logger, wait.Key, e.Message);
            return false;
        }
    }

    [LoggerMessage(LogLevel.Warning, "Sweeper {Shard} cannot see whose time is up: {Reason}")]
    static partial void LogBlind(ILogger logger, int shard, string reason);

    [LoggerMessage(LogLevel.Warning, "{Key} could not be told that its time is up, and is told again: {Reason}")]
    static partial void LogLater(ILogger logger, string key, string reason);
}
