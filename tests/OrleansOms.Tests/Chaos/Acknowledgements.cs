using System.Text.Json.Nodes;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Tests.Chaos;

/// <summary>
/// Holds what is stored against what clients were told, both ways: every answer is what was stored at its version, what was
/// acknowledged has had its effect once, what was refused has had none, and nothing is stored that nobody was told of.
/// </summary>
/// <param name="caller">Whose idempotency keys the clients have used.</param>
sealed class Acknowledgements(IReadOnlyCollection<Asked> all, StoredEvents stored, string caller)
{
    readonly ILookup<string, StoredEvent> _byCommand =
        stored.All.Where(e => HasKey(e.Command)).ToLookup(e => e.Command[..e.Command.IndexOf('/')]);

    // Made of its key, a slash, and its body.
    static bool HasKey(string command) =>
        command.StartsWith("cmd-", StringComparison.Ordinal) && command.Contains('/', StringComparison.Ordinal);

    string CommandOf(Asked asked) => Keys.FromIdempotencyKey("cmd-", caller, asked.Key);

    /// <summary>What is wrong.</summary>
    public IEnumerable<string> Check() =>
    [
        .. Orders(), .. Receipts(), .. Conditions(), .. Carts(),
        .. all.Where(a => a.IsAccepted && a.What is not ("receipts" or "condition-changes")).Select(a => IsOfCart(a) ? stored.ContradictsCart(a.Json) : stored.Contradicts(a.Json))
            .OfType<string>(),
        .. all.Where(a => a.IsAccepted).SelectMany(Effects).Distinct(),
        .. Untold(),
    ];

    IEnumerable<string> Orders()
    {
        var told = all.Where(a => a is { What: "orders", IsAccepted: true }).Select(a => a.Of).ToHashSet();
        var placed = stored.All.Where(e => e.Type == "order.placed.v1").Select(e => e.Stream).ToList();
        foreach (var id in told.Except(placed)) yield return $"{id} was acknowledged and is lost";
        foreach (var a in all.Where(a => a is { What: "orders", IsAccepted: true } && a.Asks["reservation"] is not null && !Same(a.Json["id"], a.Asks["reservation"])))
            yield return $"{a.Of} was placed with {a.Asks["reservation"]} and has another id";
        foreach (var id in placed.Except(told)) yield return $"{id} is stored, and nobody was told";
        foreach (var id in placed.GroupBy(id => id).Where(g => g.Count() > 1)) yield return $"{id.Key} is stored {id.Count()} times";
    }

    IEnumerable<string> Receipts()
    {
        var told = all.Where(a => a is { What: "receipts", IsAccepted: true }).DistinctBy(a => a.Key)
            .Sum(a => a.Asks["lines"]!.AsArray().Sum(l => l!["quantity"]!.GetValue<long>()));
        var there = Lasting("stock.received.v1").Sum(e => e.Data["quantity"]!.GetValue<long>());
        if (told != there) yield return $"{told} units were received, {there} are in the ledger";
    }

    IEnumerable<string> Conditions()
    {
        var told = all.Where(a => a is { What: "condition-changes", IsAccepted: true }).DistinctBy(a => a.Key).Select(a => a.Asks["lines"]![0]!)
            .ToLookup(l => Change($"{l["sku"]}", l), l => l["quantity"]!.GetValue<int>());
        var there = Lasting("stock.condition-changed.v1")
            .ToLookup(e => Change(Keys.ReadStock(e.Stream).Sku, e.Data), e => e.Data["quantity"]!.GetValue<int>());
        foreach (var change in told.Select(t => t.Key).Union(there.Select(t => t.Key)))
            if (told[change].Sum() != there[change].Sum())
                yield return $"{told[change].Sum()} units of {change} were acknowledged, {there[change].Sum()} are in the ledger";

        static string Change(string sku, JsonNode e) => $"{sku} from {e["from"]} to {e["to"]}".ToLowerInvariant();
    }

    /// <summary>Entries of movements, but for what was taken back, and what took it back.</summary>
    IEnumerable<StoredEvent> Lasting(string type)
    {
        var undone = stored.All.Where(e => e.Command.EndsWith("/undo", StringComparison.Ordinal)).Select(e => LineOf(e.Command)).ToHashSet();
        return stored.All.Where(e => e.Type == type && !undone.Contains(LineOf(e.Command)));

        static string LineOf(string command) => command.LastIndexOf('/') is > 0 and var end ? command[..end] : command;
    }

    static bool IsOfCart(Asked asked) => asked.What is "reservations" or "release";

    /// <summary>Each cart is stored once and ends at most once.</summary>
    IEnumerable<string> Carts()
    {
        var told = all.Where(a => a is { What: "reservations", IsAccepted: true }).DistinctBy(a => a.Key)
            .ToDictionary(a => a.Json["id"]!.GetValue<string>());
        var held = stored.All.Where(e => e.Type == "order.cart-reserved.v1").ToLookup(e => e.Stream);
        foreach (var (id, asked) in told)
        {
            if (held[id].Count() != 1) yield return $"{asked.Body} was acknowledged as {id} and is stored {held[id].Count()} times";
            if (stored.Of(id, "order.cart-ended.v1").Count() is > 1 and var ends) yield return $"{id} ended {ends} times";
        }
        foreach (var id in held.Select(h => h.Key).Except(told.Keys)) yield return $"{id} is a cart, and nobody was told";
    }

    IEnumerable<string> Effects(Asked asked) => asked.What switch
    {
        // It may have been over before: given up under another command, or its time was up.
        "release" => stored.Of(asked.Of, "order.cart-ended.v1").Any(e => !Same(e.Data["end"], "Ordered")) ? [] : [Lost(asked)],
        "payments" => Once(
            stored.Of(asked.Of, "order.payment-recorded.v1").Where(e => Same(e.Data["reference"], asked.Asks["reference"])),
            asked, e => Same(e.Data["amount"], asked.Asks["amount"])),
        "cancel" => Cancelled(asked),
        "pick" => Picked(asked),
        "pack" => Own(asked) is { Count: > 0 } own
            ? Once(own, asked, e => e.Type == "shipment.packed.v1" && Same(e.Data["packages"], asked.Asks["packages"]))
            // Done before under another key.
            : stored.Of(asked.Of, "shipment.packed.v1").Any(e => Same(e.Data["packages"], asked.Asks["packages"])) ? [] : [Lost(asked)],
        "ship" => Once(stored.Of(asked.Of, "shipment.shipped.v1"), asked, e => Same(e.Data["carrier"], asked.Asks["carrier"])),
        _ => [],
    };

    /// <summary>The units that were asked for, no more and no fewer; or nothing, if there was nothing left of the order.</summary>
    IEnumerable<string> Cancelled(Asked asked)
    {
        var own = Cancellations(asked).ToList();
        if (own.Count == 0 && asked.Asks["lines"] is null && asked.Json["status"]!.GetValue<string>() == "cancelled") return [];
        return Once(own, asked, e => asked.Asks["lines"] is not JsonArray lines || lines.All(l =>
            Units(e.Data["units"]!, "lineId", l!["lineId"]!) == l["quantity"]!.GetValue<int>()));
    }

    /// <summary>What cancelled units for this request: the end of it may be stored under a command of the order's own.</summary>
    IEnumerable<StoredEvent> Cancellations(Asked asked) => stored.Of(asked.Of, "order.units-cancelled.v1").Where(e =>
        e.Data["requestId"]!.GetValue<string>().StartsWith(CommandOf(asked) + "/", StringComparison.Ordinal)
        && e.Data["units"]!.AsArray().Count > 0);

    IEnumerable<string> Picked(Asked asked)
    {
        var lines = asked.Asks["lines"]!.AsArray();
        if (Own(asked) is { Count: > 0 } own)
            return Once(own, asked, e => e.Type == "shipment.units-picked.v1"
                && lines.All(l => Units(e.Data["lines"]!, "sku", l!["sku"]!) == l["quantity"]!.GetValue<int>()));
        // Done before under another key.
        return lines.All(l => stored.Of(asked.Of, "shipment.units-picked.v1")
            .Any(e => e.Data["lines"]!.AsArray().Any(p => Same(p!["sku"], l!["sku"])))) ? [] : [Lost(asked)];
    }

    /// <summary>What clients' commands have stored of which they were never told, or told that it was refused.</summary>
    IEnumerable<string> Untold()
    {
        var asked = all.ToLookup(CommandOf);
        foreach (var events in _byCommand)
        {
            if (!asked.Contains(events.Key)) yield return $"{Shown(events)} is stored, and nobody has asked for it";
            else if (asked[events.Key].All(a => !a.IsAccepted && a.What != "cancel"))
                yield return $"{Shown(events)} is stored, and was answered with {asked[events.Key].First().Status}";
        }
        foreach (var refused in all.Where(a => a is { What: "cancel", IsAccepted: false }))
            foreach (var e in Cancellations(refused))
                yield return $"{Shown([e])} is stored, and was answered with {refused.Status}";
    }

    static string Shown(IEnumerable<StoredEvent> events) => string.Join(", ", events.Select(e => $"{e.Stream} {e.Version} {e.Type}"));

    IReadOnlyList<StoredEvent> Own(Asked asked) => [.. _byCommand[CommandOf(asked)]];

    static IEnumerable<string> Once(IEnumerable<StoredEvent> effects, Asked asked, Func<StoredEvent, bool> isAsAsked)
    {
        var there = effects.ToList();
        if (there.Count == 0) return [Lost(asked)];
        if (there.Count > 1) return [$"{asked.Path} was acknowledged once and is stored as {Shown(there)}"];
        return isAsAsked(there[0]) ? [] : [$"{asked.Path} asked for {asked.Body} and is stored as {there[0].Text}"];
    }

    static string Lost(Asked asked) => $"{asked.Path} with {asked.Body} was acknowledged and has left no trace";

    static int Units(JsonNode lines, string by, JsonNode key) =>
        lines.AsArray().Where(l => Same(l![by], key)).Sum(l => l!["quantity"]!.GetValue<int>());

    static bool Same(JsonNode? a, JsonNode? b) => JsonNode.DeepEquals(a, b);
}
