using OrleansOms.Contracts.Stock;

namespace OrleansOms.Host.Ui.Stock;

/// <summary>Addresses of stocks' pages, and the word for what a stock has.</summary>
static class StockPlace
{
    /// <summary>The page of one stock. A SKU may hold any character, a slash too, so it is no part of the path.</summary>
    public static string Of(string warehouse, string sku) =>
        $"/stock/{Uri.EscapeDataString(warehouse)}?sku={Uri.EscapeDataString(sku)}";

    /// <summary>What can be promised of it, in words, and the colour's name.</summary>
    public static (string Word, string Tone) State(StockView stock) => stock switch
    {
        { Available: > 0 } => ("Available", "done"),
        { OnHand: > 0 } => ("All promised", "attention"),
        _ => ("None", "neutral"),
    };
}
