using Microsoft.Extensions.DependencyInjection;
using Orleans.Metadata;
using Orleans.Runtime;
using OrleansOms.Contracts.Log;
using OrleansOms.Grains.Upgrades;

namespace OrleansOms.Tests.Fixtures;

/// <summary>The real log, read by a program that does not know some of the names yet.</summary>
/// <param name="unknown">The stored names.</param>
public sealed class OlderLog(IEventLog log, params string[] unknown) : LogAround(log)
{
    /// <summary>Makes a silo that is being built one of such a program.</summary>
    public static void Make(IServiceCollection silo, params string[] unknown)
    {
        var log = (IEventLog)silo.Last(d => d.ServiceType == typeof(IEventLog)).ImplementationInstance!;
        silo.AddSingleton<IEventLog>(new OlderLog(log, unknown));
        silo.AddSingleton<IGrainPropertiesProvider, KnowsLess>();
    }

    /// <summary>Makes a whole program such a one.</summary>
    public static void Replace(IServiceCollection program, params string[] unknown)
    {
        var log = program.Last(d => d.ServiceType == typeof(IEventLog)).ImplementationFactory!;
        program.AddSingleton<IEventLog>(p => new OlderLog((IEventLog)log(p), unknown));
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

    List<LogEvent> Older(IReadOnlyList<LogEvent> events) => [.. events.Select(e => unknown.Contains(e.Type) ? e with { Data = null } : e)];

    sealed class KnowsLess : IGrainPropertiesProvider
    {
        public void Populate(Type grainClass, GrainType grainType, Dictionary<string, string> properties) =>
            properties["oms.known-events"] = $"{Upgrade.Conditions - 1}";
    }
}
