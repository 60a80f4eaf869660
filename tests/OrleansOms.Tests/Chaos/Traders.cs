using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Chaos;

/// <summary>
/// Customers who want the same few goods, the people who pick them, suppliers, and a new product now and then: the load of a
/// run.
/// </summary>
sealed class Traders(History history, int seed)
{
    const int Customers = 8, Pickers = 2, Lately = 60, Wanted = 6;

    public static IReadOnlyList<string> Warehouses { get; } = ["LON", "MAN"];

    readonly CancellationTokenSource _stop = new();
    readonly List<Task> _lives = [];

    /// <summary>What is sold; the newest last. Customers want the newest.</summary>
    volatile string[] _skus = ["A", "B", "C", "D"];

    /// <summary>Orders that were accepted, in that order.</summary>
    public ConcurrentQueue<string> Accepted { get; } = new();

    /// <summary>Opens the shop.</summary>
    public async Task Open()
    {
        var random = new Random(seed);
        foreach (var code in Warehouses)
            await history.Put(random, $"/api/v1/warehouses/{code}", new JsonObject
            {
                ["name"] = code, ["active"] = true,
                ["address"] = new JsonObject { ["line1"] = "1 Dock Road", ["city"] = code, ["country"] = "GB" },
            });
        foreach (var sku in _skus) await history.Put(random, $"/api/v1/products/{sku}", new JsonObject { ["name"] = sku });
        foreach (var code in Warehouses) await Supply(random, code, 40, _skus);
    }

    /// <summary>Everybody begins.</summary>
    public void Begin()
    {
        for (var n = 0; n < Customers; n++) _lives.Add(Live(n, 30, Buy));
        for (var n = 0; n < Pickers; n++)
        {
            var warehouse = Warehouses[n % Warehouses.Count];
            _lives.Add(Live(100 + n, 50, r => Pick(r, warehouse)));
        }
        _lives.Add(Live(200, 1500, r => Supply(r, Warehouses[r.Next(Warehouses.Count)], r.Next(5, 25), Newest)));
        _lives.Add(Live(300, 800, Launch));
        _lives.Add(Live(400, 300, Inspect));
    }

    /// <summary>Everybody ends what they have begun.</summary>
    public async Task End()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_lives);
        _stop.Dispose();
    }

    async Task Live(int n, int rest, Func<Random, Task> act)
    {
        var random = new Random(seed * 1000 + n);
        while (!_stop.IsCancellationRequested)
        {
            await act(random);
            await Task.WhenAny(Task.Delay(random.Next(rest, rest * 4), CancellationToken.None));
        }
    }

    string[] Newest => _skus[^Math.Min(Wanted, _skus.Length)..];

    /// <summary>Stocks that nobody has woken yet, at any moment of a run.</summary>
    async Task Launch(Random random)
    {
        var sku = $"N{_skus.Length}";
        await history.Put(random, $"/api/v1/products/{sku}", new JsonObject { ["name"] = sku });
        foreach (var code in Warehouses) await Supply(random, code, 10, [sku]);
        _skus = [.. _skus, sku];
    }

    async Task Buy(Random random)
    {
        var skus = Newest;
        var order = Api.Order([.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => (skus[random.Next(skus.Length)], random.Next(1, 4)))]);
        var isPaid = random.Next(3) > 0;
        if (!isPaid) order["payment"]!["status"] = "pending";
        if (random.Next(2) == 0) order["stockPolicy"] = "reject";
        if (random.Next(3) == 0 && await Hold(random, order) is { } cart) order["reservation"] = cart;
        var placed = await history.Do(random, "/api/v1/orders", order);
        if (random.Next(4) == 0)
        {
            var again = await history.Do(random, "/api/v1/orders", order, placed.Key);
            if (again.Answer != placed.Answer) history.Wrong.Add($"{placed.Key} had two answers:\n{placed.Answer}\n{again.Answer}");
        }
        if (placed.Status != 201) return;
        var id = placed.Json["id"]!.GetValue<string>();
        Accepted.Enqueue(id);
        await LookAt(random, id);
        if (!isPaid && random.Next(3) > 0)
        {
            await history.Do(random, $"/api/v1/orders/{id}/payments", new JsonObject
            {
                ["status"] = "paid", ["amount"] = placed.Json["totals"]!["grand"]!.GetValue<decimal>(), ["reference"] = $"pay-{placed.Key}",
            });
            await LookAt(random, id);
        }
        if (random.Next(5) > 0) return;
        // Or an older one, which a warehouse may be picking, packing or handing over at this moment.
        if (random.Next(2) == 0) id = Accepted.Reverse().ElementAtOrDefault(random.Next(Lately)) ?? id;
        var cancel = new JsonObject { ["reason"] = "changed my mind" };
        if (random.Next(2) == 0) cancel["lines"] = new JsonArray(new JsonObject { ["lineId"] = 1, ["quantity"] = 1 });
        await history.Do(random, $"/api/v1/orders/{id}/cancel", cancel);
        await LookAt(random, id);
    }

    /// <summary>
    /// Puts it into a cart first, in other lines and numbers, and may ask for more time, give that up, or be too late for it. The id of the
    /// cart, if it was held at all.
    /// </summary>
    async Task<string?> Hold(Random random, JsonObject order)
    {
        var held = await history.Do(random, "/api/v1/reservations", new JsonObject
        {
            ["lines"] = new JsonArray([.. order["lines"]!.AsArray().Reverse().Select(l => (JsonNode)new JsonObject
            {
                ["sku"] = l!["sku"]!.GetValue<string>(), ["quantity"] = random.Next(1, 4),
            })]),
            ["expiresInSeconds"] = random.Next(1, 30), ["allOrNothing"] = random.Next(2) == 0,
        });
        if (held.Status != 201) return null;
        var id = held.Json["id"]!.GetValue<string>();
        if (random.Next(3) == 0)
            await history.Do(random, $"/api/v1/reservations/{id}/extend", new JsonObject { ["expiresInSeconds"] = random.Next(1, 30) });
        if (random.Next(4) == 0) await history.Do(random, $"/api/v1/reservations/{id}/release", new JsonObject());
        return random.Next(5) > 0 ? id : null;
    }

    /// <summary>Finds units that cannot be sold, or finds that they can.</summary>
    Task Inspect(Random random)
    {
        string[] conditions = ["sellable", "damaged", "quarantine"];
        random.Shuffle(conditions);
        return history.Do(random, "/api/v1/stock/condition-changes", new JsonObject
        {
            ["warehouse"] = Warehouses[random.Next(Warehouses.Count)], ["reason"] = "looked at",
            ["lines"] = new JsonArray(new JsonObject
            {
                ["sku"] = Newest[random.Next(Newest.Length)], ["quantity"] = random.Next(1, 3), ["from"] = conditions[0], ["to"] = conditions[1],
            }),
        });
    }

    /// <summary>Now and then, whether what was just answered is so.</summary>
    async Task LookAt(Random random, string id)
    {
        if (random.Next(3) == 0) await history.Get(random, $"/api/v1/orders/{id}");
    }

    Task Supply(Random random, string warehouse, int units, string[] skus) => history.Do(random, "/api/v1/stock/receipts", new JsonObject
    {
        ["warehouse"] = warehouse, ["reference"] = "supplier",
        ["lines"] = new JsonArray([.. skus.Select(s => (JsonNode)new JsonObject { ["sku"] = s, ["quantity"] = units })]),
    });

    async Task Pick(Random random, string warehouse)
    {
        var status = (string[])["released", "picking", "packed"];
        var list = await history.Get(random, $"/api/v1/shipments?warehouse={warehouse}&status={status[random.Next(3)]}");
        if (list["items"]?.AsArray() is not { Count: > 0 } items) return;
        var shipment = items[random.Next(items.Count)]!;
        var path = $"/api/v1/shipments/{shipment["id"]!.GetValue<string>()}";
        // What was cancelled, or done by a colleague, since the list was read is refused, and no harm.
        await (shipment["status"]!.GetValue<string>() switch
        {
            "released" => history.Do(random, $"{path}/pick", new JsonObject { ["lines"] = Units("quantity", random.Next(12) == 0 ? 1 : 0) }),
            "picking" => history.Do(random, $"{path}/pack", new JsonObject
            {
                ["packages"] = new JsonArray(new JsonObject { ["weightGrams"] = 500, ["lines"] = Units("picked", 0) }),
            }),
            _ => history.Do(random, $"{path}/ship", new JsonObject { ["carrier"] = "dhl", ["service"] = "parcel" }),
        });

        JsonArray Units(string count, int missing) => new([.. shipment["lines"]!.AsArray().GroupBy(l => l!["sku"]!.GetValue<string>())
            .Select((g, i) => (JsonNode)new JsonObject
            {
                ["sku"] = g.Key, ["quantity"] = g.Sum(l => l![count]?.GetValue<int>() ?? 0) - (i == 0 ? missing : 0),
            })]);
    }
}
