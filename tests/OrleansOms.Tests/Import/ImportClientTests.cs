using OrleansOms.Host.Commands;

namespace OrleansOms.Tests.Import;

public sealed class ImportClientTests
{
    static double Ms(int attempt, TimeSpan? retryAfter, double chance) =>
        ImportClient.Pause(attempt, retryAfter, chance).TotalMilliseconds;

    [Fact]
    public void Pauses_double_up_to_five_seconds_and_half_of_each_is_chance()
    {
        Assert.Equal([20, 40, 80, 160], Enumerable.Range(0, 4).Select(n => Ms(n, null, 1)));
        Assert.Equal([10, 20, 40, 80], Enumerable.Range(0, 4).Select(n => Ms(n, null, 0)));
        Assert.Equal((5000, 2500), (Ms(1_000_000, null, 1), Ms(30, null, 0)));
    }

    [Theory]
    [InlineData(3, 3000)]
    [InlineData(0, 0)]
    [InlineData(-5, 0)]
    [InlineData(86_400, 60_000)]
    public void The_server_is_never_asked_again_before_it_wants_to_be(int retryAfterSeconds, double atLeast)
    {
        var pause = Ms(0, TimeSpan.FromSeconds(retryAfterSeconds), 0.5);
        Assert.InRange(pause, atLeast, atLeast + 20);
    }
}
