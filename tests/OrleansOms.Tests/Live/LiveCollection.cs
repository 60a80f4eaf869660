using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Live;

/// <summary>Tests that share one running program and each use orders of their own.</summary>
[CollectionDefinition(Name)]
public sealed class LiveCollection : ICollectionFixture<OmsApp>
{
    public const string Name = "live";
}
