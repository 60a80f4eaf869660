using System.Diagnostics.Metrics;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using OrleansOms.Contracts.Log;

namespace OrleansOms.Host.Watching;

/// <summary>
/// What the program tells of itself: figures to whoever asks at <c>/metrics</c>, and traces to the collector that the
/// settings of OpenTelemetry name, such as <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>. Without one nothing is traced.
/// </summary>
static class Telemetry
{
    static readonly string[] Collector = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

    /// <summary>What holds of the settings of OpenTelemetry if nothing else is said: one request of ten is traced.</summary>
    public static readonly IReadOnlyDictionary<string, string?> Defaults = new Dictionary<string, string?>
    {
        ["OTEL_SERVICE_NAME"] = "orleans-oms",
        ["OTEL_TRACES_SAMPLER"] = "parentbased_traceidratio",
        ["OTEL_TRACES_SAMPLER_ARG"] = "0.1",
    };

    /// <summary>Registers both. Orleans must be there.</summary>
    public static void Add(WebApplicationBuilder builder, HostRole role)
    {
        var telemetry = builder.Services.AddOpenTelemetry().WithMetrics(m => m
            .AddAspNetCoreInstrumentation()
            .AddMeter("Microsoft.AspNetCore.Server.Kestrel", "System.Runtime", "Npgsql", "Microsoft.Orleans", "OrleansOms")
            .AddView(Figure)
            .AddPrometheusExporter());
        if (Array.TrueForAll(Collector, c => string.IsNullOrEmpty(builder.Configuration[c]))) return;
        builder.Services.AddSingleton<IOutgoingGrainCallFilter, GrainCallTraces>();
        builder.Services.AddSingleton<IIncomingGrainCallFilter, GrainCallTraces>();
        telemetry.WithTracing(t => t
            .ConfigureResource(r => r.AddAttributes(
            [
                new("service.instance.id", $"{Environment.MachineName}/{Environment.ProcessId}"),
                new("oms.role", role.ToString().ToLowerInvariant()),
            ]))
            .AddSource(Traces.Source)
            .AddAspNetCoreInstrumentation(o =>
            {
                // Connections last for hours, and the path of a customer's page is its secret.
                o.Filter = http => http.Request.Path.StartsWithSegments("/api");
                o.EnableAspNetCoreSignalRSupport = false;
            })
            .AddOtlpExporter());
    }

    // Room for every combination of labels is taken at once, for each figure: the usual 2,000 are 140 KB. What Orleans
    // counts several times for each call between grains is told by the figures of the calls themselves.
    static MetricStreamConfiguration Figure(Instrument instrument) =>
        instrument.Name.StartsWith("orleans-messaging-", StringComparison.Ordinal)
        || instrument.Name.StartsWith("orleans-directory-", StringComparison.Ordinal)
            ? MetricStreamConfiguration.Drop
            : new MetricStreamConfiguration { CardinalityLimit = 400 };
}
