using Orleans;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Contracts.Stock;

/// <summary>One SKU in one warehouse, as the API and the screens show it.</summary>
/// <param name="OnHand">Sellable units in the warehouse, promised or not.</param>
/// <param name="Damaged">Units beside them that are not to be sold as they are.</param>
/// <param name="Quarantine">Units beside them that have to be looked at.</param>
[GenerateSerializer, Immutable, Alias("oms.StockView")]
public sealed record StockView(
    [property: Id(0)] string Warehouse, [property: Id(1)] string Sku, [property: Id(2)] int OnHand,
    [property: Id(3)] int Reserved, [property: Id(4)] int SafetyStock, [property: Id(5)] int Available,
    [property: Id(6)] int Version, [property: Id(7)] int Damaged = 0, [property: Id(8)] int Quarantine = 0)
{
    /// <summary>The view of a stock.</summary>
    public static StockView Of(Domain.Stock.Stock stock) => new(
        stock.Warehouse, stock.Sku, stock.OnHand, stock.Reserved, stock.SafetyStock, stock.Available, stock.Version, stock.Damaged,
        stock.Quarantine);

    /// <summary>The view of a stock at a moment of its past.</summary>
    public static StockView Of(string warehouse, string sku, StockBalance then) => Of(new Domain.Stock.Stock(warehouse, sku)
    {
        Version = then.Version, OnHand = then.OnHand, Reserved = then.Reserved, Damaged = then.Damaged, Quarantine = then.Quarantine,
    });
}

/// <summary>
/// One SKU in one warehouse. Key: <c>stk-{warehouse}/{sku}</c>. It owns the ledger and promises that sellable units on
/// hand never fall below what is reserved, units of another condition not below zero, and that each reservation ends once.
/// </summary>
[Alias("oms.IStockGrain")]
public interface IStockGrain : IGrainWithStringKey
{
    /// <summary>Carries out a command; answers when its entry is durable. A repeated command changes nothing.</summary>
    [Alias("Execute")]
    Task<Reply<StockView>> Execute(StockCommand command, string actor);

    /// <summary>The stock as stored; version 0 if it never held anything.</summary>
    [Alias("Get")]
    Task<StockView> Get();

    /// <summary>What an order's lines hold here.</summary>
    [Alias("ReservedFor")]
    Task<IReadOnlyList<HeldUnits>> ReservedFor(string orderId, IReadOnlyList<int> lineIds);

    /// <summary>Whether all that an attempt has reserved for an order's lines is still held: nothing of it was ended since.</summary>
    [Alias("Holds")]
    Task<bool> Holds(string orderId, IReadOnlyList<LineUnits> lines, string attempt);

    /// <summary>Whether units of an order were not found here and none have come in since.</summary>
    [Alias("HasFailed")]
    Task<bool> HasFailed(string orderId);
}

/// <summary>Units that a line holds in a stock.</summary>
/// <param name="LastCommand">The last command that changed it: tells whether it has changed since.</param>
[GenerateSerializer, Immutable, Alias("oms.HeldUnits")]
public sealed record HeldUnits(
    [property: Id(0)] int LineId, [property: Id(1)] int Quantity, [property: Id(2)] string LastCommand);

/// <summary>A receipt, an adjustment or a change of condition, done.</summary>
[GenerateSerializer, Immutable, Alias("oms.MovementView")]
public sealed record MovementView(
    [property: Id(0)] string Id, [property: Id(1)] MovementKind Kind, [property: Id(2)] string Warehouse,
    [property: Id(3)] string Note, [property: Id(4)] IReadOnlyList<MovementLine> Lines);

/// <summary>
/// One receipt, adjustment or change of conditions. Key: <c>mov-</c> and 26 characters. It owns the fact that the movement was asked for and
/// promises that its lines reach their stocks once, all of them or none, whatever dies meanwhile.
/// </summary>
[Alias("oms.IMovementGrain")]
public interface IMovementGrain : IGrainWithStringKey
{
    /// <summary>
    /// Carries out the movement, of up to thousands of stocks; a retry gets the first answer. Refused with <c>request_in_progress</c>
    /// while another call runs it, and with <see cref="Movements.StillRunning"/> when this one does for longer than a front
    /// end waits for a silo that may have died.
    /// </summary>
    [Alias("Run")]
    Task<Reply<MovementView>> Run(MoveStock command, Caller caller);

    /// <summary>The same for whoever was told that it is still running: waits with who runs it, and goes on if nobody does.</summary>
    [Alias("Rejoin")]
    Task<Reply<MovementView>> Rejoin(MoveStock command, Caller caller);

    /// <summary>
    /// Goes on where a crash has left it, unless it is running. Of one that was refused, what a stock has done of it nevertheless is taken back.
    /// </summary>
    [Alias("Continue")]
    Task Continue();
}

/// <summary>How a movement is carried out from where it was asked for.</summary>
public static class Movements
{
    /// <summary>Code of the refusal that says: go on waiting.</summary>
    public const string StillRunning = "movement_running";

    /// <summary>Runs it, however long it takes, by calls that are short: a silo that dies is noticed soon.</summary>
    public static async Task<Reply<MovementView>> RunToEnd(this IMovementGrain movement, MoveStock command, Caller caller)
    {
        var reply = await movement.Run(command, caller);
        while (reply.Rejection?.Code == StillRunning) reply = await movement.Rejoin(command, caller);
        return reply;
    }
}
