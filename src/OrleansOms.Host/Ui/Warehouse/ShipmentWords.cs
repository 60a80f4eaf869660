using OrleansOms.Contracts.Shipments;
using OrleansOms.Host.Ui.Shared;

namespace OrleansOms.Host.Ui.Warehouse;

/// <summary>Shipments as warehouse staff speak of them.</summary>
static class ShipmentWords
{
    /// <summary>"6 units of 2 products".</summary>
    public static string Of(ShipmentView shipment)
    {
        var products = shipment.Lines.Select(l => l.Sku).Distinct(StringComparer.Ordinal).Count();
        return $"{Show.Count(shipment.Lines.Sum(l => (long)l.Quantity), "unit")} of {Show.Count(products, "product")}";
    }
}
