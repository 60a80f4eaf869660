using Orleans.Messaging;

namespace OrleansOms.Host.Cluster;

/// <summary>The silos through which this front end can reach the cluster, as it last read them in the table of members.</summary>
/// <param name="table">Where they are read.</param>
sealed class GatewayList(IGatewayListProvider table) : IGatewayListProvider
{
    /// <summary>It is read this often.</summary>
    public static readonly TimeSpan Look = TimeSpan.FromSeconds(0.4);

    TaskCompletionSource _next = NewRead();
    IList<Uri>? _last;

    /// <summary>
    /// For so long a silo is believed that has told this front end to send nothing more through it, and left out whose connection has
    /// broken. A silo that stops tells its front ends first and the table after <see cref="Handover"/>: a front end that believed it for less
    /// would send through it again, and then close the connection by which the answers are to come.
    /// </summary>
    public TimeSpan MaxStaleness => TimeSpan.FromSeconds(5);

    /// <inheritdoc />
    public bool IsUpdatable => true;

    /// <inheritdoc />
    public Task InitializeGatewayListProvider() => table.InitializeGatewayListProvider();

    /// <summary>As the table says; while it cannot be read, as it said last.</summary>
    public async Task<IList<Uri>> GetGateways()
    {
        var read = Interlocked.Exchange(ref _next, NewRead());
        try
        {
            _last = await table.GetGateways();
            read.SetResult();
            return _last;
        }
        catch (Exception) when (_last is not null)
        {
            // Whoever waits for it waits for the next one.
            _ = Volatile.Read(ref _next).Task.ContinueWith(_ => read.TrySetResult(), TaskScheduler.Default);
            return _last;
        }
    }

    /// <summary>Completes when a read has succeeded that begins from now on.</summary>
    public Task NextRead() => Volatile.Read(ref _next).Task;

    static TaskCompletionSource NewRead() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
