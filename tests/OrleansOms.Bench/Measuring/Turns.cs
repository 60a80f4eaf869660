using OrleansOms.Bench.Workloads;

namespace OrleansOms.Bench.Measuring;

/// <summary>
/// Lets the arms of a workload take turns: A B C, then B C A, each round on fresh data. Machines are noisy, and what
/// disturbs a round disturbs all of its arms, so that ratios within a round mean more than the numbers themselves.
/// </summary>
public static class Turns
{
    /// <summary>Runs all rounds of a workload.</summary>
    public static async Task<WorkloadResult> Run(Workload workload, Session session)
    {
        var turns = new Dictionary<string, List<Turn>>();
        IReadOnlyList<Arm> arms = [];
        for (var round = 0; round < workload.Rounds(session.Options); round++)
        {
            session.Say($"{workload.Name}: round {round + 1}, fresh data …");
            await using var stage = await workload.SetUp(session, round);
            arms = stage.Arms;
            for (var i = 0; i < arms.Count; i++)
            {
                var arm = arms[(i + round) % arms.Count];
                if (arm.Prepare is { } prepare) await prepare();
                Turn turn;
                try { turn = await Take(arm, round, session); }
                finally
                {
                    if (arm.Finish is { } finish) await finish();
                }
                session.Say($"{workload.Name}: round {round + 1}, {arm.Name}: {Report.Brief(turn)}");
                if (!turns.TryGetValue(arm.Name, out var taken)) turns[arm.Name] = taken = [];
                taken.Add(turn);
            }
        }
        return new WorkloadResult(workload.Name, workload.Unit, [.. arms.Select(a => Sum(a, turns))]);
    }

    static async Task<Turn> Take(Arm arm, int round, Session session)
    {
        var postgres = session.Postgres;
        await postgres.Checkpoint();
        var wal = await postgres.WalBytes();
        var (program, database) = (arm.ProgramCpu?.Invoke(), postgres.CpuSeconds());
        var outcome = await arm.Run();
        return new Turn(
            round, outcome, arm.ProgramCpu?.Invoke() - program, postgres.CpuSeconds() - database,
            await postgres.WalBytes() - wal, Cpu.LoadAverage());
    }

    static ArmResult Sum(Arm arm, Dictionary<string, List<Turn>> turns)
    {
        var own = turns[arm.Name];
        Spread? ratio = arm.Against is { } other && other != arm.Name
            ? Spread.Of(own.Select(t => t.Rate / turns[other].Single(o => o.Round == t.Round).Rate)) : null;
        return new ArmResult(arm.Name, own, arm.Against, ratio, arm.Goal);
    }
}
