using Microsoft.Extensions.Logging;
using OrleansOms.Contracts.Log;

namespace OrleansOms.Grains.Followers;

/// <summary>
/// A follower that asks others to act. Its work bears repetition, so it saves how far it has come a few times a second
/// and not with every batch: what was done since is done again after a crash, with no further effect.
/// </summary>
public abstract class EffectFollower(IEventLog log, ICheckpoints checkpoints, GrainMetrics metrics, ILogger logger)
    : FollowerGrain(log, metrics, logger)
{
    static readonly TimeSpan SaveEvery = TimeSpan.FromMilliseconds(250);

    Checkpoint _saved, _read;
    long _savedAt;

    /// <summary>Everything up to here has been handled; the batch that is being handled follows it.</summary>
    protected Checkpoint Handled => _read;

    /// <summary>Does what a batch asks for.</summary>
    protected abstract Task Handle(LogBatch batch);

    /// <summary>Called before the log is read from the checkpoint: what was kept in memory counts no more.</summary>
    protected virtual void Forget() { }

    /// <summary>Where a restart has to begin: <see cref="Handled"/>, or where that stood before some batch.</summary>
    protected virtual Checkpoint BeginAgain => _read;

    /// <summary>The earliest of where what is still open began, and of <see cref="Handled"/>.</summary>
    protected Checkpoint Before(IEnumerable<Checkpoint> open) =>
        open.Aggregate(_read, (first, from) => from.Covers(first) ? first : from);

    /// <inheritdoc />
    protected sealed override async Task<Checkpoint> Load()
    {
        Forget();
        return _saved = _read = await checkpoints.Load(Follower);
    }

    /// <inheritdoc />
    protected sealed override async Task<bool> Handle(Checkpoint from, LogBatch batch)
    {
        await Handle(batch);
        _read = batch.Through;
        return await Save();
    }

    /// <inheritdoc />
    protected override Task<bool> Tick() => Save();

    /// <inheritdoc />
    protected override TimeSpan Patience => _read == _saved ? base.Patience : SaveEvery;

    async Task<bool> Save()
    {
        if (Environment.TickCount64 - _savedAt < SaveEvery.TotalMilliseconds) return true;
        _savedAt = Environment.TickCount64;
        var to = BeginAgain;
        if (_saved.Covers(to)) return true;
        if (!await checkpoints.Advance(Follower, _saved, to)) return false;
        _saved = to;
        return true;
    }
}
