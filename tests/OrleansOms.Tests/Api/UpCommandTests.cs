using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.ApiTests;

/// <summary>The program as it is started by hand, in processes of its own.</summary>
public sealed class UpCommandTests : IAsyncLifetime
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    readonly TestFolder _folder = new();
    readonly int _port = TestPort.Free(); // Kept: a silo at the address of a dead one takes its place at once.
    TestDatabase _database = null!;

    public async ValueTask InitializeAsync() => _database = await TestDatabase.Create(migrated: false);

    [Fact]
    public async Task A_second_start_on_the_same_data_says_where_the_first_one_is_and_ends()
    {
        using var first = Start();
        var greeting = await ReadUntil(first, "Ctrl-C");
        Assert.Contains("Login     admin / ", greeting);
        Assert.Contains("API key   oms_", greeting);

        using var second = Start();
        var said = await second.StandardError.ReadToEndAsync().WaitAsync(Patience);
        await second.WaitForExitAsync().WaitAsync(Patience);
        Assert.Equal(1, second.ExitCode);
        Assert.Matches(@"already running at http://127\.0\.0\.1:\d+ \(process \d+\)", said);

        var secret = Path.Combine(_folder.Path, "secrets", "api-key");
        Assert.Contains((await File.ReadAllTextAsync(secret)).Trim(), greeting);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(secret));

        // What a killed program leaves behind stops nobody, and its secrets are not shown again.
        first.Kill(entireProcessTree: true);
        await first.WaitForExitAsync().WaitAsync(Patience);
        using var third = Start();
        var again = await ReadUntil(third, "Ctrl-C");
        Assert.DoesNotContain("API key   oms_", again);
        Process.Start("kill", ["-TERM", $"{third.Id}"]).Dispose();
        await third.WaitForExitAsync().WaitAsync(Patience);
        Assert.Equal(0, third.ExitCode);
    }

    Process Start()
    {
        var start = new ProcessStartInfo("dotnet", [typeof(Host.OmsHost).Assembly.Location, "up"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var (name, value) in new[]
        {
            ("Oms__Data", _folder.Path), ("ConnectionStrings__Oms", _database.ConnectionString),
            ("ASPNETCORE_URLS", "http://127.0.0.1:0"), ("Oms__Silo__Port", $"{_port}"), ("Oms__Silo__GatewayPort", "0"),
            ("Oms__Bootstrap__ApiKey", ""), ("Oms__Bootstrap__AdminPassword", ""),
        })
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    static async Task<string> ReadUntil(Process process, string word)
    {
        using var limit = new CancellationTokenSource(Patience);
        var text = "";
        while (!text.Contains(word, StringComparison.Ordinal))
            text += await process.StandardOutput.ReadLineAsync(limit.Token) is { } line
                ? line + "\n" : throw new InvalidOperationException($"It ended: {text}");
        return text;
    }

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        _folder.Dispose();
    }
}
