using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Bench.Running;

/// <summary>
/// What our live hub is held against: SignalR and nothing else. Who watches is in a group, and each order that comes over
/// HTTP sends the group one message, byte for byte as long as ours. A process of its own, by the address of ours.
/// </summary>
public sealed class BareHub : IAsyncDisposable
{
    readonly Process _process;

    BareHub(Process process, Uri url) => (_process, Url) = (process, url);

    /// <summary>Where it answers.</summary>
    public Uri Url { get; }

    /// <summary>Its process.</summary>
    public int Pid => _process.Id;

    /// <summary>Starts one.</summary>
    /// <param name="message">A message of ours; each of its own has another id.</param>
    public static async Task<BareHub> Start(Session session, string message)
    {
        var file = Path.Combine(session.Folder, "push.json");
        await File.WriteAllTextAsync(file, message, session.Cancel);
        var process = Process.Start(new ProcessStartInfo("dotnet", [typeof(BareHub).Assembly.Location, "hub", file])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true,
            Environment = { ["DOTNET_gcServer"] = "1" }, // as ours
        })!;
        var url = await process.StandardOutput.ReadLineAsync(session.Cancel)
            ?? throw new InvalidOperationException("The bare hub did not start.");
        return new BareHub(process, new Uri(url));
    }

    /// <summary>Runs as the program <c>hub FILE</c> until its input ends.</summary>
    public static async Task<int> Run(string file)
    {
        var message = await File.ReadAllTextAsync(file);
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSignalR();
        await using var app = builder.Build();
        app.MapHub<Hub>("/hubs/live");
        app.MapPost("/api/v1/orders", (HttpContext http, IHubContext<Hub> hub) => Place(http, hub, message));
        await app.StartAsync();
        Console.Out.WriteLine(app.Urls.First());
        await Console.In.ReadToEndAsync();
        return 0;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    static async Task Place(HttpContext http, IHubContext<Hub> hub, string message)
    {
        var id = Keys.FromIdempotencyKey(Keys.Order, "bare", http.Request.Headers["Idempotency-Key"].ToString());
        var old = Driving.Requests.IdOf(Encoding.UTF8.GetBytes(message));
        using var push = JsonDocument.Parse(message.Replace(old, id, StringComparison.Ordinal));
        await hub.Clients.Group(Hub.Watchers).SendAsync("orderChanged", push.RootElement.GetProperty("arguments")[0]);
        var answer = Encoding.UTF8.GetBytes($$"""{"id":"{{id}}"}""");
        (http.Response.StatusCode, http.Response.ContentLength) = (201, answer.Length);
        await http.Response.Body.WriteAsync(answer);
    }

    sealed class Hub : Microsoft.AspNetCore.SignalR.Hub
    {
        public const string Watchers = "orders";

        public async Task<IReadOnlyDictionary<string, long>> WatchOrders()
        {
            await Groups.AddToGroupAsync(Context.ConnectionId, Watchers);
            return new Dictionary<string, long>();
        }
    }
}
