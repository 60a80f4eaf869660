using OrleansOms.Contracts.Log;
using OrleansOms.Host.Errors;

namespace OrleansOms.Tests.ApiTests;

/// <summary>What went wrong on the way is a fault that may be repeated; what nobody expected is a bug.</summary>
public sealed class FaultAnswerTests
{
    public static TheoryData<Exception, int> Thrown => new()
    {
        { new LogUnavailableException("away"), 503 },
        { new TimeoutException(), 503 },
        { new OrleansException("The silo has gone."), 503 },
        // A message that has outlived its time on the way to a grain.
        { new OperationCanceledException(), 503 },
        { new InvalidOperationException(), 500 },
    };

    [Theory, MemberData(nameof(Thrown), DisableDiscoveryEnumeration = true)]
    public void An_exception_is_answered_by_what_it_means(Exception exception, int status) =>
        Assert.Equal(status, ProblemMiddleware.Of(exception).Status);
}
