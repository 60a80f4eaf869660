namespace OrleansOms.Tests.Fixtures;

/// <summary>Something that happens once, when a grain has done what it was asked for and before whoever asked knows.</summary>
/// <param name="method">Name of what it is asked for.</param>
public sealed class AfterCall(string method) : IIncomingGrainCallFilter
{
    public Func<Task>? Do { get; set; }

    public async Task Invoke(IIncomingGrainCallContext context)
    {
        await context.Invoke();
        if (context.MethodName != method || Do is not { } something) return;
        Do = null;
        await something();
    }
}
