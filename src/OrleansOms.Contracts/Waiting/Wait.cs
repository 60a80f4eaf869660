namespace OrleansOms.Contracts.Waiting;

/// <summary>What is waited for. Numbers are stored.</summary>
public enum WaitKind
{
    /// <summary>An order for its money; from when it is due.</summary>
    Payment = 1,
    /// <summary>A shipment for a word from its carrier; from the last one.</summary>
    Carrier = 2,
    /// <summary>A cart for its order; from when its time is up.</summary>
    Cart = 3,
}

/// <summary>An order or a shipment that waits.</summary>
/// <param name="Key">Its grain's key.</param>
/// <param name="Since">From when its time is counted, UTC.</param>
public readonly record struct Wait(string Key, WaitKind Kind, DateTimeOffset Since);
