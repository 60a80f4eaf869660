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

    /// <summary>Grains of a line that are told at once.</summary>
    const int Parallel = 32;

    static readonly TimeSpan Look = TimeSpan.FromSeconds(1), Leave = TimeSpan.FromSeconds(30), Wake = TimeSpan.FromMinutes(1);

    int Shard => int.Parse(this.GetPrimaryKeyString().AsSpan(Keys.Sweeper.Length), CultureInfo.InvariantCulture);

    /// <summary>The key of a shard's sweeper.</summary>
    public static string KeyOf(int shard) => string.Create(CultureInfo.InvariantCulture, $"{Keys.Sweeper}{shard}");

    /// <inheritdoc />
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        // A cart ends to the second, however many others are due.
        foreach (var line in (Line[])[new(WaitKind.Payment, WaitKind.Carrier), new(WaitKind.Cart)])
            this.RegisterGrainTimer(Sweep, line, new GrainTimerCreationOptions(TimeSpan.Zero, Look) { Interleave = true });
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public Task Begin() => this.RegisterOrUpdateReminder(Reminder, Wake, Wake).Reached();

    /// <summary>It is awake: that is all that the reminder is for.</summary>
    public Task ReceiveReminder(string reminderName, TickStatus status) => Task.CompletedTask;

    async Task Sweep(Line line, CancellationToken stop)
    {
        try
        {
            var now = time.GetUtcNow();
            foreach (var (key, until) in line.Left)
                if (now >= until) line.Left.Remove(key);
            while (await AllAreTold(line, now, stop)) { }
        }
        catch (OmsFaultException e) { LogBlind(logger, Shard, e.Message); }
    }

    /// <summary>Whether as many as are read at once were told, so that there may be more. Nobody waits for one that does not answer.</summary>
    async Task<bool> AllAreTold(Line line, DateTimeOffset now, CancellationToken stop)
    {
        var until = line.Kinds.ToDictionary(kind => kind, kind => kind == WaitKind.Carrier ? now - settings.TrackingSilence : now);
        var due = await readModel.FindWaits(Shard, until, Batch, line.Left.Keys);
        foreach (var wait in due) line.Left[wait.Key] = DateTimeOffset.MaxValue;
        var all = Task.WhenAll(due.Select(wait => TellInTurn(line, wait)));
        return await Task.WhenAny(all, Task.Delay(Look, time, stop)) == all && due.Count == Batch;
    }

    async Task TellInTurn(Line line, Wait wait)
    {
        await line.Turns.WaitAsync();
        try
        {
            var isTold = await Tell(wait);
            // A cart that was held for longer, or by another clock, is looked at again with the next look.
            line.Left[wait.Key] = time.GetUtcNow() + (isTold || wait.Kind != WaitKind.Cart ? Leave : TimeSpan.Zero);
        }
        finally { line.Turns.Release(); }
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

    /// <summary>Those whose time is looked at together.</summary>
    sealed class Line(params WaitKind[] kinds)
    {
        public WaitKind[] Kinds { get; } = kinds;
        /// <summary>Who was told, or is about to be, and until when they are left alone.</summary>
        public Dictionary<string, DateTimeOffset> Left { get; } = new(StringComparer.Ordinal);
        public SemaphoreSlim Turns { get; } = new(Parallel);
    }
}
