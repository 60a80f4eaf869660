namespace OrleansOms.Bench.Measuring;

/// <summary>What an arm has done in one turn.</summary>
/// <param name="Operations">Finished in the time.</param>
/// <param name="Seconds">How long the load lasted.</param>
/// <param name="P50Ms">Half of the operations took no longer; null where it is not measured.</param>
/// <param name="P99Ms">99 of 100 took no longer.</param>
/// <param name="LoadCpuSeconds">Processor time of whoever made the load, where that is a process of its own.</param>
public sealed record Outcome(
    long Operations, double Seconds, double? P50Ms = null, double? P99Ms = null, double LoadCpuSeconds = 0)
{
    /// <summary>Further figures by name, with the unit in the name.</summary>
    public IReadOnlyDictionary<string, double> Further { get; init; } = new Dictionary<string, double>();

    /// <summary>Figures that were taken again and again in a long turn, in order; each set begins with its time.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, double>> Series { get; init; } = [];
}

/// <summary>One of the ways to do a workload's work.</summary>
/// <param name="Name">Unique in its workload.</param>
/// <param name="Run">The measured part: no preparation, no warming up.</param>
public sealed record Arm(string Name, Func<Task<Outcome>> Run)
{
    /// <summary>What must be there for this arm alone, made before its turn begins.</summary>
    public Func<Task>? Prepare { get; init; }

    /// <summary>Takes away what was prepared, after the turn.</summary>
    public Func<ValueTask>? Finish { get; init; }

    /// <summary>Processor seconds that the measured program has used so far; null if PostgreSQL does all the work.</summary>
    public Func<double>? ProgramCpu { get; init; }

    /// <summary>The arm that it is compared with, round by round.</summary>
    public string? Against { get; init; }

    /// <summary>What it should reach.</summary>
    public Goal? Goal { get; init; }
}

/// <summary>A target.</summary>
/// <param name="Text">As people read it.</param>
/// <param name="IsMet">Whether the figures of an arm reach it.</param>
public sealed record Goal(string Text, Func<ArmResult, bool> IsMet)
{
    /// <summary>A ratio to the other arm of at least so much.</summary>
    public static Goal Ratio(double atLeast) => new($"≥ {atLeast:0.##} ×", a => a.Ratio?.Median >= atLeast);
}

/// <summary>One turn of an arm with what it cost.</summary>
/// <param name="LoadAverage">Of the machine when the turn ended: what else was going on.</param>
public sealed record Turn(
    int Round, Outcome Outcome, double? ProgramCpuSeconds, double? PostgresCpuSeconds, long WalBytes, double LoadAverage)
{
    /// <summary>Operations a second.</summary>
    public double Rate => Outcome.Seconds > 0 ? Outcome.Operations / Outcome.Seconds : 0;

    /// <summary>An amount for each operation.</summary>
    public double PerOperation(double amount) => Outcome.Operations > 0 ? amount / Outcome.Operations : 0;
}

/// <summary>All turns of an arm.</summary>
/// <param name="Ratio">To the arm it is compared with, of the same round.</param>
public sealed record ArmResult(string Name, IReadOnlyList<Turn> Turns, string? Against, Spread? Ratio, Goal? Goal)
{
    /// <summary>Operations a second.</summary>
    public Spread Rate => Spread.Of(Turns.Select(t => t.Rate));

    /// <summary>Median over the turns of something that was measured in each; null if it was in none.</summary>
    public double? Median(Func<Turn, double?> of)
    {
        var values = Turns.Select(of).OfType<double>().ToList();
        return values.Count == 0 ? null : Spread.Of(values).Median;
    }

    /// <summary>Names of further figures.</summary>
    public IEnumerable<string> Further => Turns.SelectMany(t => t.Outcome.Further.Keys).Distinct();
}

/// <summary>A workload's figures.</summary>
/// <param name="Unit">What one operation is.</param>
public sealed record WorkloadResult(string Name, string Unit, IReadOnlyList<ArmResult> Arms);
