using System.Diagnostics.Metrics;

namespace OrleansOms.Host.Errors;

/// <summary>What this API has refused or could not do, for those who watch the program: meter <c>OrleansOms</c>.</summary>
public sealed class RefusalMetrics
{
    readonly Counter<long> _refusals;

    /// <summary>Makes the counter.</summary>
    public RefusalMetrics(IMeterFactory meters) => _refusals = meters.Create("OrleansOms").CreateCounter<long>(
        "oms.refusals", "{answer}", "Answers of the API that are not what was asked for, by code");

    /// <summary>Counts one more.</summary>
    public void Refused(string code) => _refusals.Add(1, new KeyValuePair<string, object?>("code", code));
}
