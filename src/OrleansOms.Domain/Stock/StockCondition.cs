using Orleans;

namespace OrleansOms.Domain.Stock;

/// <summary>
/// What state units are in. Only sellable ones are on hand for orders: what is damaged or in quarantine is in the warehouse, is
/// counted, and is promised to nobody. Numbers are stored: append only.
/// </summary>
[GenerateSerializer, Alias("oms.StockCondition")]
public enum StockCondition
{
    /// <summary>May be promised.</summary>
    Sellable = 0,
    /// <summary>Not to be sold as it is: to be repaired, sent back or written off.</summary>
    Damaged = 1,
    /// <summary>Nobody knows yet: to be looked at.</summary>
    Quarantine = 2,
}

/// <summary>Conditions as people say them.</summary>
public static class StockConditions
{
    /// <summary>"sellable", "damaged" or "in quarantine".</summary>
    public static string InWords(this StockCondition condition) => condition switch
    {
        StockCondition.Sellable => "sellable",
        StockCondition.Damaged => "damaged",
        StockCondition.Quarantine => "in quarantine",
        _ => throw new InvalidOperationException($"Units cannot be {condition}."),
    };
}
