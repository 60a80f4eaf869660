using OrleansOms.Domain.Stock;

namespace OrleansOms.Domain.Tests.Stock;

/// <summary>Who waits, as the policy is asked.</summary>
static class Waiting
{
    /// <summary>Those of each channel in their order.</summary>
    public static IEnumerable<IReadOnlyCollection<WaitingLine>> ByChannel(this WaitingPolicy policy, IEnumerable<WaitingLine> waiting) =>
        waiting.GroupBy(w => w.Channel).Select(g => (IReadOnlyCollection<WaitingLine>)[.. g.Order(policy.Order)]);
}
