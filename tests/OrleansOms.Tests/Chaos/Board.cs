using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using OrleansOms.Domain.Laws;
using OrleansOms.Domain.Shared;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Chaos;

/// <summary>
/// An operator at one front end who watches all orders and the work of every warehouse. What is shown must be what was stored,
/// must never go back, and must end as what is stored and what somebody is told who begins to watch.
/// </summary>
sealed partial class Board : IAsyncDisposable
{
    /// <summary>Of the first operator.</summary>
    public const string Password = "chaos of processes";

    const string Counts = "counts";

    readonly LiveClient _client, _newcomer;
    readonly KeptWatch _orders;
    readonly IReadOnlyDictionary<string, KeptWatch> _warehouses;

    Board(LiveClient client, LiveClient newcomer)
    {
        (_client, _newcomer) = (client, newcomer);
        _orders = new KeptWatch(client, "Orders", null, (what, value) => what != "watchEnded" && value["warehouse"] is null);
        _warehouses = Traders.Warehouses.ToDictionary(code => code, code => new KeptWatch(
            client, "Warehouse", code, (_, value) => value["warehouse"]?.GetValue<string>() == code));
        client.CameBack += Begin;
    }

    /// <summary>Logs in at a front end and begins to watch.</summary>
    public static async Task<Board> At(Uri front)
    {
        var (url, cookie) = (front.ToString().TrimEnd('/'), await LogIn(front));
        var board = new Board(await LiveClient.Connect(url, cookie: cookie), await LiveClient.Connect(url, cookie: cookie));
        await board.Begin();
        return board;
    }

    Task Begin() => Task.WhenAll(_warehouses.Values.Prepend(_orders).Select(w => w.Begin()));

    /// <summary>What is wrong with what was seen, once everything has come to rest.</summary>
    /// <param name="stored">What is stored by then.</param>
    /// <param name="read">Reads as anybody does.</param>
    public async Task<IReadOnlyList<string>> Check(StoredEvents stored, Func<string, Task<JsonNode>> read)
    {
        List<string> wrong =
        [
            .. _client.Heard.Where(h => h.What == "watchEnded").Select(h => $"A board was told {h.Value.ToJsonString()}"),
            .. await Ends(_orders, await _newcomer.CallAgain("WatchOrders"), id => Task.FromResult(stored.LastSummary(id))),
            .. Views(_orders).Select(v => stored.ContradictsSummary(v.View)).OfType<string>(), .. GoesBack(_orders),
        ];
        foreach (var (code, watch) in _warehouses)
        {
            // A shipment that a newcomer is not told of has left, and is shown to nobody.
            wrong.AddRange(await Ends(watch, await _newcomer.CallAgain("WatchWarehouse", code), async of =>
                Keys.IsShipmentId(of) ? null : await read($"/api/v1/stock/{code}/{of}")));
            wrong.AddRange(Views(watch).Where(v => Keys.IsShipmentId(v.Of)).Select(v => stored.Contradicts(v.View)).OfType<string>());
            wrong.AddRange(GoesBack(watch));
        }
        return wrong;
    }

    /// <summary>Waits until a watch shows what is so.</summary>
    /// <param name="told">What a newcomer is told.</param>
    /// <param name="read">What is so of anything that a newcomer is not told of; null if it must not be shown.</param>
    static async Task<IReadOnlyList<string>> Ends(KeptWatch watch, JsonNode told, Func<string, Task<JsonNode?>> read)
    {
        var news = Screen([new Seen(null, told)]);
        try { await Silos.Until(Different, different => different.Count == 0); }
        catch (TimeoutException) { return await Different(); }
        return [];

        async Task<IReadOnlyList<string>> Different()
        {
            var different = new List<string>();
            var screen = Screen(watch.Shown());
            foreach (var of in screen.Keys.Union(news.Keys))
            {
                var (shown, end) = (screen.GetValueOrDefault(of), news.GetValueOrDefault(of) ?? await read(of));
                if (!JsonNode.DeepEquals(shown, end)) different.Add($"{of} is shown as {Text(shown)} and is {Text(end)}");
            }
            return different;
        }

        static string Text(JsonNode? node) => node?.ToJsonString() ?? "nothing";
    }

    /// <summary>What is on a screen that believes whatever comes.</summary>
    static Dictionary<string, JsonNode> Screen(IEnumerable<Seen> seen)
    {
        var screen = new Dictionary<string, JsonNode>(StringComparer.Ordinal);
        foreach (var one in seen)
        {
            // What was pushed before may have changed since: it is read anew.
            if (one.IsAnswer || one.What == "resync") screen.Clear();
            foreach (var (of, view) in Parts(one.Value))
                if (Keys.IsShipmentId(of) && !IsOpen(view)) screen.Remove(of);
                else screen[of] = view;
        }
        return screen;
    }

    static bool IsOpen(JsonNode shipment) => shipment["status"]!.GetValue<string>() is "released" or "picking" or "packed";

    /// <summary>What an answer or a push tells of: orders and shipments by id, stocks by SKU, and counts.</summary>
    static IEnumerable<(string Of, JsonNode View)> Parts(JsonNode value) => value switch
    {
        JsonArray all => all.Select(one => (one!.Id(), one!)),
        _ when value["shipments"] is JsonArray all => all.Select(one => (one!.Id(), one!)),
        _ when value["counts"] is { } counts => [(Counts, counts)],
        _ when value["version"] is null => [(Counts, value)],
        _ => [(value["id"]?.GetValue<string>() ?? value["sku"]!.GetValue<string>(), value)],
    };

    static IEnumerable<(string Of, JsonNode View)> Views(KeptWatch watch) =>
        watch.Shown().SelectMany(seen => Parts(seen.Value)).Where(part => part.Of != Counts);

    static IEnumerable<string> GoesBack(KeptWatch watch) =>
        Views(watch).GroupBy(v => v.Of, v => v.View.Version()).SelectMany(g => g.Zip(g.Skip(1), (before, next) =>
            LogLaws.NeverBack(g.Key, before, next))).OfType<Breach>().Select(breach => $"On a board: {breach}");

    /// <summary>The cookie of the first operator.</summary>
    static async Task<string> LogIn(Uri front)
    {
        var cookies = new CookieContainer();
        using var http = new HttpClient(new SocketsHttpHandler { CookieContainer = cookies, AllowAutoRedirect = false })
        {
            BaseAddress = front,
        };
        var token = Token().Match(await http.GetStringAsync("/login")).Groups[1].Value;
        using var answer = await http.PostAsync("/login", new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["name"] = "admin", ["password"] = Password, ["returnUrl"] = "/",
            ["__RequestVerificationToken"] = WebUtility.HtmlDecode(token),
        }));
        Assert.Equal("/", answer.Headers.Location?.OriginalString);
        return cookies.GetCookieHeader(front);
    }

    [GeneratedRegex("__RequestVerificationToken\"[^>]*value=\"([^\"]+)\"")]
    private static partial Regex Token();

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _newcomer.DisposeAsync();
    }
}
