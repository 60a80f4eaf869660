namespace OrleansOms.Tests.Fixtures;

/// <summary>
/// Tests that hold transactions open. Readers of the log stop before the oldest transaction of the whole server, so
/// these would keep everyone else waiting: they run when nobody else does.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    public const string Name = "Alone";
}
