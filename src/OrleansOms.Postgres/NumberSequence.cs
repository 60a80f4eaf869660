using System.Data.Common;
using Npgsql;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;

namespace OrleansOms.Postgres;

/// <summary>
/// Order numbers from <c>oms.order_number</c>, whose step is one block: one call to the database for so many orders.
/// What is left of a block is lost when the process ends.
/// </summary>
public sealed class NumberSequence(NpgsqlDataSource source) : INumberSequence
{
    const int Block = 100; // the sequence's increment in 0001_log.sql

    readonly Lock gate = new();
    readonly SemaphoreSlim refill = new(1);
    long next;
    long end;

    /// <inheritdoc />
    public ValueTask<long> Next() => TryTake() is { } number ? new ValueTask<long>(number) : new ValueTask<long>(Refill());

    long? TryTake()
    {
        lock (gate)
            return next < end ? next++ : null;
    }

    async Task<long> Refill()
    {
        await refill.WaitAsync();
        try
        {
            if (TryTake() is { } number)
                return number;
            await using var command = source.CreateCommand("select nextval('oms.order_number')");
            var start = (long)(await command.ExecuteScalarAsync())!;
            lock (gate)
                (next, end) = (start + 1, start + Block);
            return start;
        }
        catch (DbException e)
        {
            throw new LogUnavailableException($"No order number could be had: {e.Message}");
        }
        finally
        {
            refill.Release();
        }
    }
}
