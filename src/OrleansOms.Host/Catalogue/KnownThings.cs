using OrleansOms.Contracts.Catalogue;
using OrleansOms.Contracts.Log;
using OrleansOms.Grains.Catalogue;
using OrleansOms.Grains.Followers;
using OrleansOms.Host.Orders;

namespace OrleansOms.Host.Catalogue;

/// <summary>
/// Asks the catalogue in memory whether something is known. What another process has stored a moment ago may not be there
/// yet, so before anything is called unknown, this process catches up with the log; where it cannot, it says so with a
/// <see cref="LogUnavailableException"/>, which is asked again, and not with a refusal, which is not.
/// </summary>
public sealed class KnownThings(CatalogueIndex catalogue, LogTail tail)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Whether there is such a product.</summary>
    public async ValueTask<bool> IsProduct(string sku)
    {
        if (catalogue.TryGetProduct(sku, out _)) return true;
        await CatchUp();
        return catalogue.TryGetProduct(sku, out _);
    }

    /// <summary>Finds a warehouse; null if there is none.</summary>
    public async ValueTask<WarehouseView?> FindWarehouse(string code)
    {
        if (catalogue.TryGetWarehouse(code, out var known)) return known;
        await CatchUp();
        return catalogue.TryGetWarehouse(code, out known) ? known : null;
    }

    /// <summary>Refuses SKUs that are not known.</summary>
    /// <exception cref="Errors.ProblemException">422 <c>unknown_sku</c>, naming the first.</exception>
    public async ValueTask RequireProducts(IEnumerable<string> skus)
    {
        if (skus.All(s => catalogue.TryGetProduct(s, out _))) return;
        await CatchUp();
        foreach (var sku in skus)
            if (!catalogue.TryGetProduct(sku, out _))
                throw OrderValidation.Unknown("sku", sku, $"There is no product {sku}.");
    }

    async Task CatchUp()
    {
        using var limit = new CancellationTokenSource(Patience);
        try { await tail.CaughtUp(limit.Token); }
        catch (OperationCanceledException) { throw new LogUnavailableException("What was stored lately cannot be read yet."); }
    }
}
