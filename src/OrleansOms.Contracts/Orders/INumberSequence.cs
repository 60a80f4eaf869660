namespace OrleansOms.Contracts.Orders;

/// <summary>The numbers that people know orders by: unique in the whole system, mostly rising, with gaps.</summary>
public interface INumberSequence
{
    /// <summary>A number that nobody else gets.</summary>
    /// <exception cref="Log.LogUnavailableException">None could be had; ask again.</exception>
    ValueTask<long> Next();
}
