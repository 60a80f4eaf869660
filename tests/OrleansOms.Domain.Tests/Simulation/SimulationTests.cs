using System.Collections.Concurrent;
using System.Globalization;

namespace OrleansOms.Domain.Tests.Simulation;

/// <summary>
/// Many schedules of a small world in which processes die and calls are lost. A failure names its seed; <c>./oms sim SEED</c>
/// lives through it again, <c>./oms sim --for SECONDS</c> looks for more.
/// </summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    const int Schedules = 100_000;

    [Fact]
    public void No_schedule_breaks_a_law()
    {
        var broken = new ConcurrentBag<string>();
        long steps = 0;
        // Other tests run beside this one, with browsers: half of the machine is theirs.
        var half = new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, Environment.ProcessorCount / 2) };
        Parallel.For(1, Schedules + 1, half, (seed, state) =>
        {
            if (Live(seed, Plant.None, out var n) is { } found)
            {
                broken.Add(found);
                if (broken.Count >= 5) state.Stop();
            }
            Interlocked.Add(ref steps, n);
        });
        output.WriteLine($"{Schedules} schedules, {steps} steps");
        Assert.True(broken.IsEmpty, string.Join('\n', broken));
    }

    [Theory]
    [InlineData(Plant.DoubleRelease), InlineData(Plant.AppliedBeforeAppendFails), InlineData(Plant.SkippedVersion)]
    [InlineData(Plant.RestockTwice), InlineData(Plant.TimeoutAfterPayment)]
    public void A_planted_bug_is_found(Plant plant)
    {
        for (var seed = 1; seed <= 2_000; seed++)
            if (Live(seed, plant, out _) is { } found)
            {
                output.WriteLine($"{plant} is found: {found}");
                return;
            }
        Assert.Fail($"{plant} was not found.");
    }

    [Fact]
    public void The_same_seed_lives_the_same_life()
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            var (once, again) = (new World(seed), new World(seed));
            Assert.Equal(once.Run(), again.Run());
            Assert.Equal(once.Log.All.Select(e => $"{e}"), again.Log.All.Select(e => $"{e}"));
        }
    }

    /// <summary>For <c>./oms sim</c>: one seed, or as many as fit into a time.</summary>
    [Fact(Explicit = true)]
    public void Search()
    {
        var asked = Environment.GetEnvironmentVariable("OMS_SIM") ?? "";
        if (int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out var seed))
        {
            var world = new World(seed);
            try { world.Run(); }
            finally
            {
                foreach (var e in world.Log.All) output.WriteLine($"{e}");
            }
            return;
        }
        var until = DateTime.UtcNow + TimeSpan.FromSeconds(double.Parse(asked.Split(' ')[1], CultureInfo.InvariantCulture));
        var first = Random.Shared.Next();
        var lived = 0;
        var broken = new ConcurrentBag<string>();
        Parallel.For(0, Environment.ProcessorCount, _ =>
        {
            while (DateTime.UtcNow < until)
                if (Live(unchecked(first + Interlocked.Increment(ref lived)) & int.MaxValue, Plant.None, out var _) is { } found)
                {
                    output.WriteLine(found);
                    broken.Add(found);
                }
        });
        output.WriteLine($"{lived} schedules, seeds {first + 1} to {first + lived}");
        Assert.True(broken.IsEmpty, string.Join('\n', broken));
    }

    static string? Live(int seed, Plant plant, out int steps)
    {
        steps = 0;
        try
        {
            steps = new World(seed, plant).Run();
            return null;
        }
        catch (Exception e) { return $"seed {seed}: {(e is BrokenLawException ? e.Message : e.ToString())}"; }
    }
}
