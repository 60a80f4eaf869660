namespace OrleansOms.Tests.Fixtures;

/// <summary>
/// Tests that hold transactions open and locks: they run when nobody else does, so that nobody else has to wait.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    public const string Name = "Alone";
}
