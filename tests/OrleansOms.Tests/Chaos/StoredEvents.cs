using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Host.Http;

namespace OrleansOms.Tests.Chaos;

/// <summary>One event as its row holds it.</summary>
sealed record StoredEvent(string Stream, int Version, string Type, string Text, string Command, DateTimeOffset At)
{
    public JsonNode Data => JsonNode.Parse(Text)!;
}

/// <summary>Everything that is stored at one moment, and what an order or a shipment was at each of its versions.</summary>
sealed class StoredEvents
{
    readonly ILookup<string, StoredEvent> _streams;

    StoredEvents(IReadOnlyList<StoredEvent> all) => (All, _streams) = (all, all.ToLookup(e => e.Stream));

    /// <summary>By stream and version.</summary>
    public IReadOnlyList<StoredEvent> All { get; }

    /// <summary>Reads the table, and not the program's log.</summary>
    /// <param name="nameHere">What this build calls an event of a stored name.</param>
    public static async Task<StoredEvents> Read(NpgsqlDataSource source, Func<string, string> nameHere)
    {
        await using var command = source.CreateCommand(
            "select stream, version, type, data::text, command, at from oms.event order by stream, version");
        await using var reader = await command.ExecuteReaderAsync();
        var all = new List<StoredEvent>();
        while (await reader.ReadAsync())
            all.Add(new StoredEvent(
                reader.GetString(0), reader.GetInt32(1), nameHere(reader.GetString(2)), reader.GetString(3), reader.GetString(4),
                reader.GetFieldValue<DateTimeOffset>(5)));
        return new StoredEvents(all);
    }

    public IEnumerable<StoredEvent> Of(string stream, string type) => _streams[stream].Where(e => e.Type == type);

    /// <summary>An order or a shipment as it was at a version; null if it never was at it.</summary>
    public JsonNode? At(string id, int version)
    {
        if (Until(id, version) is not { } events) return null;
        return id.StartsWith(Keys.Order, StringComparison.Ordinal)
            ? JsonSerializer.SerializeToNode(OrderView.Of(Fold(id, events)), ApiJson.Default.OrderView)
            : JsonSerializer.SerializeToNode(
                ShipmentView.Of(events.Aggregate(new Shipment(id), (shipment, e) => shipment.Apply((ShipmentEvent)Read(e), e.At))),
                ApiJson.Default.ShipmentView);
    }

    /// <summary>An order's row in lists as it is now; null if there is no such order.</summary>
    public JsonNode? LastSummary(string id) => SummaryAt(id, _streams[id].Count());

    /// <summary>What is wrong with a view of an order or a shipment that somebody was given; null if it is what was stored.</summary>
    public string? Contradicts(JsonNode view) => Contradicts(view, At);

    /// <summary>The same for an order's row in lists.</summary>
    public string? ContradictsSummary(JsonNode summary) => Contradicts(summary, SummaryAt);

    /// <summary>The same for what is held for a cart.</summary>
    public string? ContradictsCart(JsonNode view) => Contradicts(view, (id, version) => Until(id, version) is not { } events ? null
        : JsonSerializer.SerializeToNode(ReservationView.Of(Fold(id, events)), ApiJson.Default.ReservationView));

    JsonNode? SummaryAt(string id, int version) => Until(id, version) is not { } events ? null
        : JsonSerializer.SerializeToNode(OrderSummary.Of(Fold(id, events)), ApiJson.Default.OrderSummary);

    StoredEvent[]? Until(string id, int version)
    {
        StoredEvent[] events = [.. _streams[id].Where(e => e.Version <= version)];
        return version < 1 || events.Length != version ? null : events;
    }

    static Order Fold(string id, StoredEvent[] events) =>
        events.Aggregate(new Order(id), (order, e) => order.Apply((OrderEvent)Read(e)));

    string? Contradicts(JsonNode view, Func<string, int, JsonNode?> at)
    {
        var (id, version) = (view["id"]!.GetValue<string>(), view["version"]!.GetValue<int>());
        if (at(id, version) is not { } stored) return $"{id} was told of at {version} and is at {_streams[id].Count()}";
        var told = view.DeepClone();
        // Made by the front end, of what is stored and its own settings.
        told.AsObject().Remove("trackingUrl");
        string[] different = [.. told.AsObject().Select(m => m.Key).Union(stored.AsObject().Select(m => m.Key))
            .Where(name => !JsonNode.DeepEquals(told[name], stored[name]))
            .Select(name => $"{name} {told[name]?.ToJsonString()} and is stored as {stored[name]?.ToJsonString()}")];
        return different.Length == 0 ? null : $"{id} at {version} was told with {string.Join(", ", different)}";
    }

    static DomainEvent Read(StoredEvent e) => EventTypes.Read(e.Type, Encoding.UTF8.GetBytes(e.Text))
        ?? throw new InvalidOperationException($"{e.Stream} holds {e.Type}, which is not known here.");
}
