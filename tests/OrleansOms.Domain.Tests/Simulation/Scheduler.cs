namespace OrleansOms.Domain.Tests.Simulation;

/// <summary>A call whose outcome is not known to the caller: lost before it arrived, or its answer was lost.</summary>
class LostException(string what = "No answer came.") : Exception(what);

/// <summary>An append of which it is known that it was not stored.</summary>
sealed class BehindException() : LostException("Another activation was faster.");

/// <summary>A process of the cluster. What a dead one was about to do never happens.</summary>
sealed class Process(int number)
{
    public int Number => number;
    public bool IsDead { get; set; }
}

/// <summary>
/// The world's only clock and its only chance. Whatever waits is a step; one step at a time is drawn and runs until it
/// waits again. The same seed draws the same steps.
/// </summary>
sealed class Scheduler(int seed) : SynchronizationContext
{
    readonly Queue<(SendOrPostCallback Run, object? State)> _goOn = new();

    readonly List<(Process? Owner, Action Run)> _steps = [];

    /// <summary>Every choice comes from here.</summary>
    public Random Random { get; } = new(seed);

    /// <summary>Whether things may go wrong; at the end they may not.</summary>
    public bool IsHostile { get; set; } = true;

    /// <summary>Something that will happen sometime, unless its process dies before.</summary>
    public void Later(Process? owner, Action run) => _steps.Add((owner, run));

    /// <summary>Lets anything else happen before the process goes on.</summary>
    public Task Pause(Process? owner)
    {
        var done = new TaskCompletionSource();
        Later(owner, done.SetResult);
        return done.Task;
    }

    /// <summary>As long as an answer is on its way, which is now and then so long that it is old when it comes.</summary>
    public async Task Linger(Process? owner)
    {
        for (var n = Chance(0.1) ? Random.Next(40) : 0; n > 0; n--) await Pause(owner);
    }

    /// <summary>Whether a rare thing happens now.</summary>
    public bool Chance(double probability) => IsHostile && Random.NextDouble() < probability;

    /// <summary>One of them.</summary>
    public T Pick<T>(IReadOnlyList<T> from) => from[Random.Next(from.Count)];

    /// <inheritdoc />
    public override void Post(SendOrPostCallback d, object? state) => _goOn.Enqueue((d, state));

    /// <summary>Runs this and all that follows from it on this thread.</summary>
    public void Run(Action work)
    {
        var before = Current;
        SetSynchronizationContext(this);
        try
        {
            work();
            while (_goOn.TryDequeue(out var next)) next.Run(next.State);
        }
        finally { SetSynchronizationContext(before); }
    }

    /// <summary>Draws a step and runs it; false if nothing waits.</summary>
    public bool Step()
    {
        while (_steps.Count > 0)
        {
            var at = Random.Next(_steps.Count);
            var (owner, run) = _steps[at];
            _steps[at] = _steps[^1];
            _steps.RemoveAt(_steps.Count - 1);
            if (owner is { IsDead: true }) continue;
            Run(run);
            return true;
        }
        return false;
    }
}

/// <summary>Lets one through at a time, in the order in which they came.</summary>
sealed class Gate
{
    readonly Queue<TaskCompletionSource> _waiting = new();
    bool _isTaken;

    public bool IsFree => !_isTaken;

    public Task Enter()
    {
        if (!_isTaken)
        {
            _isTaken = true;
            return Task.CompletedTask;
        }
        var turn = new TaskCompletionSource();
        _waiting.Enqueue(turn);
        return turn.Task;
    }

    public void Leave()
    {
        if (_waiting.TryDequeue(out var next)) next.SetResult();
        else _isTaken = false;
    }
}
