using System.Collections.Concurrent;
using System.Globalization;
using OrleansOms.Domain.Laws;

namespace OrleansOms.Domain.Tests.Simulation;

/// <summary>
/// Many schedules of a small world in which processes die and calls are lost. A failure names its seed; <c>./oms sim SEED</c>
/// lives through it again, <c>./oms sim --for SECONDS</c> looks for more.
/// </summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    const int Schedules = 100_000, PlantedSchedules = 60_000;

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
                broken.Add($"seed {seed}: {found}");
                if (broken.Count >= 5) state.Stop();
            }
            Interlocked.Add(ref steps, n);
        });
        output.WriteLine($"{Schedules} schedules, {steps} steps");
        Assert.True(broken.IsEmpty, string.Join('\n', broken));
    }

    /// <param name="plant">The bug.</param>
    /// <param name="laws">Each of them finds it in one schedule or another, and nothing else does: a crash is no find.</param>
    [Theory]
    [InlineData(Plant.DoubleRelease, Law.ReservationsAreAllocations, Law.EndsOnce, Law.OneEffect)]
    [InlineData(
        Plant.AppliedBeforeAppendFails, Law.NoOversell, Law.ReservationsAreAllocations, Law.EndsOnce, Law.NothingLost, Law.Units)]
    [InlineData(Plant.SkippedVersion, Law.NoGap)]
    [InlineData(Plant.RestockTwice, Law.ReservationsAreAllocations)]
    [InlineData(Plant.TimeoutAfterPayment, Law.Money)]
    [InlineData(Plant.TrustsAnOldLook, Law.ReservationsAreAllocations)]
    public void A_planted_bug_is_found_by_the_laws_that_it_breaks(Plant plant, params Law[] laws)
    {
        var seen = new HashSet<Law>();
        for (var seed = 1; seed <= PlantedSchedules && !seen.IsSupersetOf(laws); seed++)
            if (Live(seed, plant, out _) is { } found)
            {
                if (found is not BrokenLawException broken) throw new InvalidOperationException($"Seed {seed} is a crash.", found);
                if (seen.Add(broken.Law)) output.WriteLine($"seed {seed}: {found.Message}");
            }
        Assert.Equal(laws, seen.Order());
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
            {
                var next = unchecked(first + Interlocked.Increment(ref lived)) & int.MaxValue;
                if (Live(next, Plant.None, out _) is not { } found) continue;
                output.WriteLine($"seed {next}: {found}");
                broken.Add($"seed {next}: {found}");
            }
        });
        output.WriteLine($"{lived} schedules, seeds {first + 1} to {first + lived}");
        Assert.True(broken.IsEmpty, string.Join('\n', broken));
    }

    /// <summary>What went wrong: a law that was broken, or a crash.</summary>
    static Exception? Live(int seed, Plant plant, out int steps)
    {
        steps = 0;
        try
        {
            steps = new World(seed, plant).Run();
            return null;
        }
        catch (Exception e) { return e; }
    }
}
