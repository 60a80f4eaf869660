using System.Diagnostics;
using OrleansOms.Contracts.Log;

namespace OrleansOms.Host.Watching;

/// <summary>
/// Takes the trace of a recorded request along with its calls of grains. The filters of Orleans begin a trace of their own
/// with each call that comes without one: of an order that is not recorded, they record its parts.
/// </summary>
sealed class GrainCallTraces : IOutgoingGrainCallFilter, IIncomingGrainCallFilter
{
    const string Header = "traceparent";

    /// <inheritdoc />
    public Task Invoke(IOutgoingGrainCallContext context) =>
        Traces.Current is { } trace ? Call(context, ActivityKind.Client, trace) : context.Invoke();

    /// <inheritdoc />
    public Task Invoke(IIncomingGrainCallContext context) =>
        RequestContext.Get(Header) is string trace ? Call(context, ActivityKind.Server, trace) : context.Invoke();

    static async Task Call(IGrainCallContext context, ActivityKind kind, string trace)
    {
        using var span = Traces.Begin($"{context.InterfaceName}/{context.MethodName}", kind, trace);
        Activity.Current = span;
        if (span is not null) RequestContext.Set(Header, span.Id!);
        try { await context.Invoke(); }
        catch (Exception e)
        {
            span?.SetStatus(ActivityStatusCode.Error, e.Message);
            throw;
        }
    }
}
