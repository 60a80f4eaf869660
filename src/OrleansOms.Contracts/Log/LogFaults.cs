using Orleans;

namespace OrleansOms.Contracts.Log;

/// <summary>Storage, network or time failed the caller: 503, and the same command id may be sent again.</summary>
[GenerateSerializer, Alias("oms.OmsFault")]
public abstract class OmsFaultException(string message) : Exception(message)
{
    /// <summary>Seconds after which a retry makes sense.</summary>
    [Id(0)] public int RetryAfterSeconds { get; init; } = 1;
}

/// <summary>The log's queue is full. Nothing was stored.</summary>
[GenerateSerializer, Alias("oms.LogBusy")]
public sealed class LogBusyException() : OmsFaultException("Too many writes are waiting.");

/// <summary>The log could not answer. What was asked may or may not have been stored.</summary>
[GenerateSerializer, Alias("oms.LogUnavailable")]
public sealed class LogUnavailableException(string message) : OmsFaultException(message);

/// <summary>
/// The aggregate's memory was behind the log, or its append failed. It has been dropped; a retry reads it anew.
/// </summary>
[GenerateSerializer, Alias("oms.AggregateReloaded")]
public sealed class AggregateReloadedException(string stream)
    : OmsFaultException($"{stream} was changed elsewhere or could not be stored; send the command again.");

/// <summary>
/// A newer program has written what this one does not know, and nothing may be made of the rest without it. A retry may find
/// a process that knows it; when there is none, it must be started.
/// </summary>
[GenerateSerializer, Alias("oms.NewerEvent")]
public sealed class NewerEventException(string stream, string type)
    : OmsFaultException($"{stream} holds {type}, which a newer version of this program has written and this one does not know.");

/// <summary>
/// The cluster is being upgraded, and a silo that is still of the version before does not know what was asked. Nothing was done;
/// a retry is answered when the upgrade is over.
/// </summary>
[GenerateSerializer, Alias("oms.UpgradeUnderWay")]
public sealed class UpgradeUnderWayException()
    : OmsFaultException("The cluster is being upgraded: not every silo knows how to do this yet.");
