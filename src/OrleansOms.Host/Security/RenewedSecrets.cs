using System.Data.Common;
using OrleansOms.Postgres.Security;

namespace OrleansOms.Host.Security;

/// <summary>
/// What a front end knows of the secret of tracking links and of revoked cookie keys: it looks every <see cref="Look"/>, so
/// that a command beside it is heard of within <see cref="Lifetime"/>.
/// </summary>
/// <param name="first">The secret as it was when the process began.</param>
public sealed partial class RenewedSecrets(
    Secrets secrets, CookieKeyManager cookies, RenewedSecret first, TimeProvider time, ILogger<RenewedSecrets> logger) : BackgroundService
{
    /// <summary>Name of the secret that signs tracking links.</summary>
    public const string Links = "tracking-links";

    /// <summary>Bytes of it.</summary>
    public const int LinkBytes = 32;

    /// <summary>How old what it knows may be.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(5);

    static readonly TimeSpan Look = TimeSpan.FromSeconds(3);

    RenewedSecret _links = first;

    /// <summary>The secret of tracking links.</summary>
    public RenewedSecret OfLinks => Volatile.Read(ref _links);

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var revocations = 0L;
        using var timer = new PeriodicTimer(Look, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                if (await secrets.Find(Links) is { } links) Volatile.Write(ref _links, links);
                var count = await secrets.CountRevocations();
                if (count != revocations) cookies.ReadAgain();
                revocations = count;
            }
            catch (Exception e) when (e is DbException or TimeoutException)
            {
                LogStale(logger, e.Message);
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "Whether secrets were renewed could not be read: {Reason}")]
    static partial void LogStale(ILogger logger, string reason);
}
