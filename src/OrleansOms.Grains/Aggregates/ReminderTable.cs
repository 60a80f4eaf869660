using System.Data.Common;
using Orleans.Serialization;
using OrleansOms.Contracts.Log;

namespace OrleansOms.Grains.Aggregates;

/// <summary>
/// Reminders live in a table of their own, whose silence is a fault like the log's. What the database's driver throws means
/// nothing in another process and must not get there.
/// </summary>
static class ReminderTable
{
    /// <summary>Asks it.</summary>
    /// <exception cref="LogUnavailableException">It did not answer.</exception>
    public static async Task<T> Reached<T>(this Task<T> call)
    {
        try { return await call; }
        catch (Exception e) when (IsFault(e)) { throw new LogUnavailableException($"The reminders did not answer: {e.Message}"); }
    }

    /// <summary>Takes a reminder away, if it is there. One that stays ticks again, and is taken away then.</summary>
    public static async Task Remove(this IGrainBase grain, string name)
    {
        try
        {
            // Read, not remembered: of several that registered it at once, the last answer need not be the last version.
            if (await grain.GetReminder(name) is { } reminder) await grain.UnregisterReminder(reminder);
        }
        catch (Exception e) when (IsFault(e)) { return; }
    }

    static bool IsFault(Exception e) => e is DbException or SerializerException or OrleansException or TimeoutException;
}
