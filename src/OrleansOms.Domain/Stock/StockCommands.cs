using System.Globalization;
using OrleansOms.Domain.Orders;
using Orleans;

namespace OrleansOms.Domain.Stock;

/// <summary>What may be asked of one stock. <see cref="StockDecider"/> has an arm for each.</summary>
/// <param name="CommandId">One id has one effect: a repeated command is answered as done.</param>
[GenerateSerializer, Immutable, Alias("oms.StockCommand")]
public abstract record StockCommand([property: Id(0)] string CommandId)
{
    /// <summary>
    /// When it was decided, UTC: what follows from an order's event, when that was recorded; a reservation, when it was asked for.
    /// Null of others: they know by themselves whether they are too late.
    /// </summary>
    [Id(1)] public DateTimeOffset? DecidedAt { get; init; }

    /// <summary>
    /// Whether it was decided so long ago that it may have been done and forgotten, and has to be looked up in the ledger, which
    /// forgets nothing. Three processes have a part in it, whose clocks may differ by a minute each.
    /// </summary>
    public bool IsLate(DateTimeOffset now) => DecidedAt < now - (Stock.Memory - TimeSpan.FromMinutes(2));
}

/// <summary>Units came in. <paramref name="Quantity"/> is 1 or more.</summary>
[GenerateSerializer, Immutable, Alias("oms.ReceiveStock")]
public sealed record ReceiveStock(string CommandId, [property: Id(0)] int Quantity, [property: Id(1)] string Reference)
    : StockCommand(CommandId);

/// <summary>Corrects the number on hand by a difference that is not zero.</summary>
[GenerateSerializer, Immutable, Alias("oms.AdjustStock")]
public sealed record AdjustStock(string CommandId, [property: Id(0)] int Delta, [property: Id(1)] string Reason)
    : StockCommand(CommandId);

/// <summary>
/// Takes units from one condition into another. Those that are not sellable also come in and leave by it. Refused with
/// <c>insufficient_stock</c> if they are not there, or are promised, and with <c>stock_too_large</c>.
/// </summary>
/// <param name="From">What they are; null if they come in.</param>
/// <param name="To">What they will be; null if they leave. Not the same as <paramref name="From"/>.</param>
/// <param name="Quantity">Units, 1 or more.</param>
[GenerateSerializer, Immutable, Alias("oms.ChangeCondition")]
public sealed record ChangeCondition(
    string CommandId, [property: Id(0)] StockCondition? From, [property: Id(1)] StockCondition? To,
    [property: Id(2)] int Quantity, [property: Id(3)] string Reason)
    : StockCommand(CommandId);

/// <summary>Promises units to lines of one order, all of them or none.</summary>
[GenerateSerializer, Immutable, Alias("oms.ReserveStock")]
public sealed record ReserveStock(
    string CommandId, [property: Id(0)] string OrderId, [property: Id(1)] IReadOnlyList<LineUnits> Lines)
    : StockCommand(CommandId)
{
    const string Mark = "/after/";

    /// <summary>
    /// An attempt of an order that is stored already. It says how far the order had come: what that has decided before is
    /// not about what is reserved now.
    /// </summary>
    /// <param name="version">The order's last event.</param>
    /// <param name="unique">No other attempt of the order has it.</param>
    public static string AttemptOf(string orderId, int version, string unique) =>
        string.Create(CultureInfo.InvariantCulture, $"{orderId}{Mark}{version}/{unique}");

    /// <summary>How far the order had come when a command reserved for it; 0 if its id does not say.</summary>
    public static int AfterOf(string orderId, string commandId)
    {
        var mark = $"{orderId}{Mark}";
        return commandId.StartsWith(mark, StringComparison.Ordinal)
            && commandId.IndexOf('/', mark.Length) is > 0 and var end
            && int.TryParse(commandId.AsSpan(mark.Length..end), NumberStyles.None, CultureInfo.InvariantCulture, out var version)
                ? version : 0;
    }
}

/// <summary>Frees promised units.</summary>
/// <param name="Undoes">
/// The reservation command that is taken back. Units are freed only where that command had its effect; null frees
/// whatever the order's lines hold.
/// </param>
[GenerateSerializer, Immutable, Alias("oms.ReleaseStock")]
public sealed record ReleaseStock(
    string CommandId, [property: Id(0)] string OrderId, [property: Id(1)] IReadOnlyList<LineUnits> Lines,
    [property: Id(2)] string Reason, [property: Id(3)] string? Undoes = null)
    : StockCommand(CommandId)
{
    const string Mark = "/back";

    /// <summary>The id of the command that takes a failed attempt's reservations back.</summary>
    public static string BackOf(string attempt) => $"{attempt}{Mark}";

    /// <summary>The attempt that a command takes back, by the command's id; null if it takes none.</summary>
    public static string? AttemptOf(string commandId) =>
        commandId.EndsWith(Mark, StringComparison.Ordinal) ? commandId[..^Mark.Length] : null;
}

/// <summary>
/// A cart has become an order: some units are free, and some are held by other lines than before. Done to what is there, as a release is.
/// </summary>
/// <param name="Freed">By the cart's lines.</param>
/// <param name="Moves">From the cart's lines to the order's.</param>
[GenerateSerializer, Immutable, Alias("oms.PassCart")]
public sealed record PassCart(
    string CommandId, [property: Id(0)] string OrderId, [property: Id(1)] IReadOnlyList<LineUnits> Freed,
    [property: Id(2)] IReadOnlyList<LineMove> Moves, [property: Id(3)] string Reason)
    : StockCommand(CommandId);

/// <summary>Units that one line of an order gives to another.</summary>
[GenerateSerializer, Immutable, Alias("oms.LineMove")]
public sealed record LineMove([property: Id(0)] int From, [property: Id(1)] int To, [property: Id(2)] int Quantity);

/// <summary>
/// Frees what an order's lines hold beyond what the order keeps. Refused with <c>reservation_changed</c> if one of them has
/// changed since it was looked at: what came later may be of an order that is being stored.
/// </summary>
/// <param name="CommandId">Made with <see cref="IdOf"/>.</param>
/// <param name="Reason">For the ledger.</param>
[GenerateSerializer, Immutable, Alias("oms.SettleStock")]
public sealed record SettleStock(
    string CommandId, [property: Id(0)] string OrderId, [property: Id(1)] IReadOnlyList<SettledLine> Lines,
    [property: Id(2)] string Reason)
    : StockCommand(CommandId)
{
    const string Mark = "/settle/";

    /// <summary>A command id that no other command has.</summary>
    public static string IdOf(string orderId, Guid unique) => $"{orderId}{Mark}{unique:N}";

    /// <summary>Whether a command id is that of a settlement.</summary>
    public static bool IsIdOf(string commandId) => commandId.Contains(Mark, StringComparison.Ordinal);
}

/// <summary>A line whose reservation is settled.</summary>
/// <param name="Kept">What the order's events say that the line has in this stock.</param>
/// <param name="Seen">The last command that had changed the reservation when it was looked at.</param>
[GenerateSerializer, Immutable, Alias("oms.SettledLine")]
public sealed record SettledLine(
    [property: Id(0)] int LineId, [property: Id(1)] int Kept, [property: Id(2)] string Seen);

/// <summary>Promised units left the warehouse.</summary>
[GenerateSerializer, Immutable, Alias("oms.ShipStock")]
public sealed record ShipStock(
    string CommandId, [property: Id(0)] string OrderId, [property: Id(1)] string ShipmentId,
    [property: Id(2)] IReadOnlyList<LineUnits> Lines)
    : StockCommand(CommandId);

/// <summary>Promised units were not on the shelf.</summary>
[GenerateSerializer, Immutable, Alias("oms.WriteOffStock")]
public sealed record WriteOffStock(
    string CommandId, [property: Id(0)] string OrderId, [property: Id(1)] string ShipmentId,
    [property: Id(2)] IReadOnlyList<LineUnits> Lines)
    : StockCommand(CommandId);
