using System.Globalization;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Chaos;

/// <summary>
/// Real processes that die, stand still and lose their database under load. <c>./oms chaos</c> runs more and longer ones.
/// </summary>
[Collection(AloneCollection.Name)]
public sealed class ChaosTests(ITestOutputHelper output)
{
    const int FaultsOfARun = 8;

    /// <remarks>How long anybody waits is asserted by <c>./oms chaos</c>: these machines have other work.</remarks>
    [Fact]
    public async Task Nothing_is_lost_or_done_twice_when_processes_and_the_database_die() =>
        Assert.Empty(await new ChaosRun(1, output.WriteLine).Live(
        [
            Fault.KillSilo with { AnsweredWithin = null }, Fault.CrashDatabase, Fault.PauseSilo(5) with { AnsweredWithin = null },
            Fault.KillFront,
        ]));

    /// <summary>
    /// For <c>./oms chaos --runs N --seed S</c>; with <c>--from COMMIT</c> a run begins with that build and is upgraded to
    /// this one, process by process.
    /// </summary>
    [Fact(Explicit = true)]
    public async Task Search()
    {
        var asked = (Environment.GetEnvironmentVariable("OMS_CHAOS") ?? "1 1").Split(' ')
            .Select(n => int.Parse(n, NumberStyles.None, CultureInfo.InvariantCulture)).ToList();
        var wrong = new List<string>();
        for (var seed = asked[1]; seed < asked[1] + asked[0]; seed++)
        {
            var random = new Random(seed);
            var faults = Enumerable.Range(0, FaultsOfARun).Select(_ => Fault.All[random.Next(Fault.All.Count)]).ToList();
            var older = Environment.GetEnvironmentVariable("OMS_CHAOS_FROM") is { Length: > 0 } program ? program : null;
            if (older is not null) faults = [Fault.RollingRestart with { Name = "rolling upgrade" }, .. faults.Take(2)];
            wrong.AddRange((await new ChaosRun(seed, output.WriteLine, older is null ? null : new Builds(older, Builds.This)).Live(faults)).Select(w => $"seed {seed}: {w}"));
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }
}
