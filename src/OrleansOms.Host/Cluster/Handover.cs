using Orleans.Runtime;

namespace OrleansOms.Host.Cluster;

/// <summary>
/// Gives a silo that stops the time that Orleans does not: for what was on its way when front ends were told to send
/// nothing more through it, and for the answers of others that still come back through it. A front end whose answer was
/// to come through a connection that has closed is not told, and waits until its patience ends. The last silo has nobody
/// to hand over to and waits for nothing.
/// </summary>
sealed class Handover(TimeSpan patience, IClusterMembershipService cluster, ILocalSiloDetails self) : ILifecycleParticipant<ISiloLifecycle>
{
    /// <summary>
    /// Less than the time for which a front end believes what it was told (<see cref="GatewayList.MaxStaleness"/>): until then the table
    /// says that the silo goes.
    /// </summary>
    internal static readonly TimeSpan OnTheWay = TimeSpan.FromSeconds(1);
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    /// <summary>When its grains have gone, and before its connections close.</summary>
    const int AfterGrains = ServiceLifecycleStage.BecomeActive - 2;

    /// <summary>Gives the silo that is being built this time.</summary>
    /// <param name="patience">How long a front end waits for an answer.</param>
    public static void Add(IServiceCollection silo, TimeSpan patience) => silo.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(
        p => ActivatorUtilities.CreateInstance<Handover>(p, patience));

    /// <inheritdoc />
    public void Participate(ISiloLifecycle lifecycle)
    {
        lifecycle.Subscribe($"{nameof(Handover)} of requests", ServiceLifecycleStage.Active, _ => Task.CompletedTask, stop => Wait(OnTheWay, stop));
        lifecycle.Subscribe($"{nameof(Handover)} of answers", AfterGrains, _ => Task.CompletedTask, stop => Wait(patience, stop));
    }

    async Task Wait(TimeSpan time, CancellationToken stop)
    {
        var end = Environment.TickCount64 + time.TotalMilliseconds;
        while (!stop.IsCancellationRequested && Environment.TickCount64 < end && HasOthers())
            await Task.Delay(Look, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    bool HasOthers() => cluster.CurrentSnapshot.Members.Values
        .Any(m => m.Status == SiloStatus.Active && !m.SiloAddress.Equals(self.SiloAddress));
}
