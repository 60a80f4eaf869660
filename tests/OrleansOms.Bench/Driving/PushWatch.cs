using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.SignalR.Client;

namespace OrleansOms.Bench.Driving;

/// <summary>An operator's screen: logs in, watches all orders, and notes when each one is first pushed.</summary>
public sealed partial class PushWatch : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    readonly HubConnection _hub;
    readonly ConcurrentDictionary<string, (long Ticks, double AfterEventMs)> _pushed = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<string, long> _answered = new(StringComparer.Ordinal);

    PushWatch(HubConnection hub)
    {
        _hub = hub;
        _hub.On<JsonElement>("orderChanged", Pushed);
    }

    /// <summary>Logs in and watches.</summary>
    public static async Task<PushWatch> Open(Uri server, string adminPassword)
    {
        var cookies = await LogIn(server, adminPassword);
        var watch = new PushWatch(new HubConnectionBuilder()
            .WithUrl(new Uri(server, "/hubs/live"), o => o.Cookies = cookies)
            .Build());
        await watch._hub.StartAsync();
        await watch._hub.InvokeAsync<JsonElement>("WatchOrders");
        return watch;
    }

    /// <summary>Notes that an order was answered now.</summary>
    public void Answered(ReadOnlySpan<byte> body)
    {
        var now = Stopwatch.GetTimestamp();
        _answered[Requests.IdOf(body)] = now;
    }

    /// <summary>Waits for the last pushes and adds their times to a result.</summary>
    public async Task<DriveResult> Complete(DriveResult result)
    {
        var start = Stopwatch.GetTimestamp();
        while (_answered.Keys.Any(id => !_pushed.ContainsKey(id)) && Stopwatch.GetElapsedTime(start) < Patience)
            await Task.Delay(20);
        var both = _answered.Where(a => _pushed.ContainsKey(a.Key)).Select(a => (At: a.Value, Push: _pushed[a.Key])).ToList();
        return result with
        {
            PushAfterAnswer = Latency.Of(both.Select(b =>
                Math.Max(0, Stopwatch.GetElapsedTime(b.At, b.Push.Ticks).TotalMilliseconds))),
            PushAfterEvent = Latency.Of(both.Select(b => b.Push.AfterEventMs)),
            Unpushed = _answered.Count - both.Count,
        };
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _hub.DisposeAsync();

    void Pushed(JsonElement order)
    {
        var since = DateTimeOffset.UtcNow - order.GetProperty("placedAt").GetDateTimeOffset();
        _pushed.TryAdd(order.GetProperty("id").GetString()!, (Stopwatch.GetTimestamp(), since.TotalMilliseconds));
    }

    /// <summary>The cookies of the operator who may see everything.</summary>
    public static async Task<CookieContainer> LogIn(Uri server, string adminPassword)
    {
        var cookies = new CookieContainer();
        using var http = new HttpClient(new SocketsHttpHandler { CookieContainer = cookies, AllowAutoRedirect = false })
        {
            BaseAddress = server,
        };
        var page = await http.GetStringAsync("/login");
        var field = TokenField().Match(page).Value;
        using var answer = await http.PostAsync("/login", new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["name"] = "admin", ["password"] = adminPassword, ["returnUrl"] = "/",
            ["__RequestVerificationToken"] = WebUtility.HtmlDecode(TokenValue().Match(field).Groups[1].Value),
        }));
        var to = answer.Headers.Location?.OriginalString;
        return answer.StatusCode == HttpStatusCode.Redirect && to == "/"
            ? cookies : throw new InvalidOperationException($"The operator could not log in: {(int)answer.StatusCode} {to}");
    }

    [GeneratedRegex("<input[^>]*__RequestVerificationToken[^>]*>")]
    private static partial Regex TokenField();

    [GeneratedRegex("value=\"([^\"]+)\"")]
    private static partial Regex TokenValue();
}
