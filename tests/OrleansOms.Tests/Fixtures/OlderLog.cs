using Microsoft.Extensions.DependencyInjection;
using Orleans.Metadata;
using Orleans.Runtime;
using OrleansOms.Contracts.Log;

namespace OrleansOms.Tests.Fixtures;

/// <summary>The real log, read by a program that does not know one of the names yet.</summary>
/// <param name="unknown">The stored name.</param>
public sealed class OlderLog(IEventLog log, string unknown) : LogAround(log)
{
    /// <summary>Makes a silo that is being built one of such a program.</summary>
    public static void Make(IServiceCollection silo, string unknown)
    {
        var log = (IEventLog)silo.Last(d => d.ServiceType == typeof(IEventLog)).ImplementationInstance!;
        silo.AddSingleton<IEventLog>(new OlderLog(log, unknown));
        silo.AddSingleton<IGrainPropertiesProvider, KnowsLess>();
    }

    public override async Task<IReadOnlyList<LogEvent>> ReadStream(string stream, int afterVersion = 0, int? max = null) =>
        Older(await base.ReadStream(stream, afterVersion, max));

    public override async Task<IReadOnlyList<LogEvent>> ReadStreams(IReadOnlyCollection<string> streams) =>
        Older(await base.ReadStreams(streams));

    public override async Task<LogBatch> ReadAll(Checkpoint after, int max)
    {
        var batch = await base.ReadAll(after, max);
        return batch with { Events = Older(batch.Events) };
    }

    List<LogEvent> Older(IReadOnlyList<LogEvent> events) => [.. events.Select(e => e.Type == unknown ? e with { Data = null } : e)];

    sealed class KnowsLess : IGrainPropertiesProvider
    {
        public void Populate(Type grainClass, GrainType grainType, Dictionary<string, string> properties) =>
            properties["oms.known-events"] = $"{EventTypes.Count - 1}";
    }
}
