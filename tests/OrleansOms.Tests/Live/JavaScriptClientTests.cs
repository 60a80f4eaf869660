using System.Diagnostics;
using System.Text.Json.Nodes;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Live;

/// <summary>The official JavaScript client and axe, installed once.</summary>
public sealed class JavaScript : IAsyncLifetime
{
    // Classes that begin beside each other have one folder.
    static readonly SemaphoreSlim Turn = new(1);

    /// <summary>Where it is.</summary>
    public static string Folder => Path.Combine(Repository.Root, "tests", "OrleansOms.Tests", "js");

    /// <summary>Why it cannot be used here, or null.</summary>
    public string? Missing { get; private set; }

    /// <inheritdoc />
    public async ValueTask InitializeAsync()
    {
        if (!await CanRun("node") || !await CanRun("npm"))
        {
            Missing = "node and npm are not installed: what needs them was not tried.";
            return;
        }
        await Turn.WaitAsync();
        try
        {
            if (File.Exists(Path.Combine(Folder, "node_modules", ".package-lock.json"))) return;
            using var npm = Run("npm", "ci");
            var output = await npm.StandardOutput.ReadToEndAsync() + await npm.StandardError.ReadToEndAsync();
            await npm.WaitForExitAsync();
            Assert.True(npm.ExitCode == 0, output);
        }
        finally { Turn.Release(); }
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Skips the test where it cannot be used, but never in CI.</summary>
    public void SkipIfMissing()
    {
        if (Missing is { } why && Environment.GetEnvironmentVariable("CI") is not { Length: > 0 }) Assert.Skip(why);
        Assert.Null(Missing);
    }

    /// <summary>Runs a program in its folder.</summary>
    public static Process Run(string program, params string[] arguments) => Process.Start(
        new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Folder, RedirectStandardInput = true, RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;

    static async Task<bool> CanRun(string program)
    {
        try
        {
            using var process = Run(program, "--version");
            await process.WaitForExitAsync();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception) { return false; }
    }
}

/// <summary>The hub as the official JavaScript client sees it.</summary>
[Collection(LiveCollection.Name)]
public sealed class JavaScriptClientTests(OmsApp app, JavaScript js) : IClassFixture<JavaScript>
{
    [Theory]
    [InlineData("json")]
    [InlineData("messagepack")]
    public async Task It_follows_an_order_to_the_same_content_as_the_api(string protocol)
    {
        js.SkipIfMissing();
        var order = await app.PlaceNew();
        await app.Released(order);
        await using var client = new Watcher(app.Url, protocol, "WatchOrder", order.Id(), OmsApp.BootstrapKey);
        HubTests.AssertSame(await app.Read(order), await client.Next("answer"));
        await app.CancelOne(order);
        var stored = await OmsApp.Until(() => app.Read(order), o => o["lines"]![0]!["cancelled"]!.GetValue<int>() == 1);
        var heard = await client.Next("orderChanged", o => o.Version() >= stored.Version());
        HubTests.AssertSame(stored, heard);
    }

    [Theory]
    [InlineData("json")]
    [InlineData("messagepack")]
    public async Task It_follows_a_warehouse(string protocol)
    {
        js.SkipIfMissing();
        await using var client = new Watcher(app.Url, protocol, "WatchWarehouse", "LON", OmsApp.BootstrapKey);
        await client.Next("answer");
        var order = await app.PlaceNew();
        var id = (await app.Released(order))["shipments"]![0]!.Id();
        var shipment = await client.Next("shipmentChanged", s => s.Id() == id);
        Assert.Equal("released", shipment["status"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("json")]
    [InlineData("messagepack")]
    public async Task After_a_cut_wire_it_watches_again_and_has_missed_nothing(string protocol)
    {
        js.SkipIfMissing();
        var order = await app.PlaceNew(units: 20);
        await app.Released(order);
        await using var relay = new Relay(app.Port);
        await using var client = new Watcher(relay.Url, protocol, "WatchOrder", order.Token(), null);
        var first = await client.Next("answer");
        for (var i = 1; i <= 10; i++)
        {
            await app.CancelOne(order);
            if (i == 5) relay.Cut();
        }
        var end = await OmsApp.Until(() => app.Read(order), o => o["lines"]![0]!["cancelled"]!.GetValue<int>() == 10);
        var again = await client.Next("answer");
        Assert.True(again.Version() >= first.Version());
        if (again.Version() < end.Version()) await client.Next("orderChanged", o => o.Version() == end.Version());
        HubTests.AssertRising(client.Versions);
    }

    [Fact]
    public async Task It_is_refused_with_a_code()
    {
        js.SkipIfMissing();
        await using var client = new Watcher(app.Url, "json", "WatchOrders", "", OmsApp.BootstrapKey);
        Assert.EndsWith("forbidden", (await client.Next("refused")).GetValue<string>());
    }

    /// <summary>A running <c>watch.mjs</c>.</summary>
    sealed class Watcher(string url, string protocol, string method, string argument, string? key) : IAsyncDisposable
    {
        static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

        readonly Process _node = JavaScript.Run(
            "node", ["watch.mjs", $"{url}/hubs/live", protocol, method, argument, .. key is null ? [] : new[] { key }]);

        /// <summary>Versions that were pushed.</summary>
        public List<int> Versions { get; } = [];

        /// <summary>The next thing of this kind that it hears.</summary>
        public async Task<JsonNode> Next(string what, Func<JsonNode, bool>? isIt = null)
        {
            using var limit = new CancellationTokenSource(Patience);
            while (await _node.StandardOutput.ReadLineAsync(limit.Token) is { } line)
            {
                var heard = JsonNode.Parse(line)!;
                var value = heard["value"];
                if (heard["what"]!.GetValue<string>() == "orderChanged") Versions.Add(value!.Version());
                if (heard["what"]!.GetValue<string>() == what && (isIt is null || isIt(value!))) return value!;
            }
            throw new InvalidOperationException($"node ended: {await _node.StandardError.ReadToEndAsync()}");
        }

        public async ValueTask DisposeAsync()
        {
            _node.StandardInput.Close();
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            try { await _node.WaitForExitAsync(limit.Token); }
            catch (OperationCanceledException) { _node.Kill(entireProcessTree: true); }
            _node.Dispose();
        }
    }
}
