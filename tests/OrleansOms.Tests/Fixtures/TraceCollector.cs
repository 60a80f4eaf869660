using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace OrleansOms.Tests.Fixtures;

/// <summary>A span as a collector gets it.</summary>
/// <param name="Role">Which kind of process it comes from.</param>
/// <param name="Parent">Id of the span above it; empty for none.</param>
/// <param name="Tags">Those that are texts.</param>
sealed record CollectedSpan(
    string Role, string Trace, string Id, string Parent, string Name, IReadOnlyDictionary<string, string> Tags);

/// <summary>Takes traces as a collector does: OTLP with protobuf over HTTP.</summary>
sealed class TraceCollector : IAsyncDisposable
{
    readonly ConcurrentQueue<CollectedSpan> _spans = new();
    readonly WebApplication _app;

    TraceCollector(WebApplication app) => _app = app;

    /// <summary>Everything that it was told.</summary>
    public IReadOnlyCollection<CollectedSpan> Spans => _spans;

    /// <summary>The standard settings of a program that traces to it, and soon.</summary>
    public (string Name, string Value)[] Settings =>
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", _app.Urls.First()), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
    ];

    public static async Task<TraceCollector> Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var collector = new TraceCollector(builder.Build());
        collector._app.MapPost("/v1/traces", async (HttpContext http) =>
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body);
            foreach (var span in Read(body.ToArray())) collector._spans.Enqueue(span);
        });
        await collector._app.StartAsync();
        return collector;
    }

    /// <summary>Waits until spans of one trace are there.</summary>
    public Task<CollectedSpan[]> Trace(string trace, Func<CollectedSpan[], bool> isComplete) =>
        OmsApp.Until(() => Task.FromResult(_spans.Where(s => s.Trace == trace).ToArray()), isComplete);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    // opentelemetry/proto: TracesData.resource_spans = 1; ResourceSpans.resource = 1, scope_spans = 2; ScopeSpans.spans = 2;
    // Span.trace_id = 1, span_id = 2, parent_span_id = 4, name = 5, attributes = 9.
    static IEnumerable<CollectedSpan> Read(byte[] traces)
    {
        foreach (var resource in Parts(traces, 1))
        {
            var role = TagsOf(Parts(resource, 1).First(), 1)["oms.role"];
            foreach (var span in Parts(resource, 2).SelectMany(scope => Parts(scope, 2)))
                yield return new CollectedSpan(
                    role, Hex(span, 1), Hex(span, 2), Hex(span, 4), Encoding.UTF8.GetString(Parts(span, 5).First()), TagsOf(span, 9));
        }
    }

    static string Hex(byte[] message, int field) => Convert.ToHexStringLower(Parts(message, field).FirstOrDefault([]));

    // Resource.attributes = 1; KeyValue.key = 1, value = 2; AnyValue.string_value = 1.
    static Dictionary<string, string> TagsOf(byte[] message, int field) => Parts(message, field)
        .Select(tag => (Key: Parts(tag, 1).First(), Value: Parts(tag, 2).SelectMany(v => Parts(v, 1)).FirstOrDefault()))
        .Where(tag => tag.Value is not null)
        .ToDictionary(tag => Encoding.UTF8.GetString(tag.Key), tag => Encoding.UTF8.GetString(tag.Value!));

    /// <summary>The fields of a message with a number, of those that have a length.</summary>
    static IEnumerable<byte[]> Parts(byte[] message, int field)
    {
        for (var at = 0; at < message.Length;)
        {
            var key = Number(message, ref at);
            switch (key & 7)
            {
                case 0: Number(message, ref at); break;
                case 1: at += 8; break;
                case 5: at += 4; break;
                case 2:
                    var length = (int)Number(message, ref at);
                    if ((int)(key >> 3) == field) yield return message[at..(at + length)];
                    at += length;
                    break;
                default: throw new InvalidDataException($"A field of kind {key & 7}.");
            }
        }
    }

    static ulong Number(byte[] message, ref int at)
    {
        var (value, shift) = (0UL, 0);
        while (true)
        {
            var b = message[at++];
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80) return value;
            shift += 7;
        }
    }
}
