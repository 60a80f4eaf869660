using Microsoft.Extensions.Logging.Abstractions;
using OrleansOms.Host.Database;

namespace OrleansOms.Tests.Fixtures;

/// <summary>
/// The PostgreSQL that the tests of this process share: a private one in a new folder, gone when the process ends, or
/// the one that <c>OMS_TEST_POSTGRES</c> names. Tests that write make a database of their own in it.
/// </summary>
public static class TestServer
{
    static readonly Lazy<Task<string>> Shared = new(Begin);

    /// <summary>Connection string of its database <c>oms</c>, as a user who may create databases.</summary>
    public static Task<string> ConnectionString() => Shared.Value;

    static async Task<string> Begin()
    {
        if (Environment.GetEnvironmentVariable("OMS_TEST_POSTGRES") is { Length: > 0 } given) return given;
        await RemoveLeftovers();
        var folder = new TestFolder();
        var server = await PrivatePostgres.Start(folder.Path, null, NullLogger.Instance, CancellationToken.None);
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            server.DisposeAsync().AsTask().GetAwaiter().GetResult();
            folder.Dispose();
        };
        return server.ConnectionString;
    }

    /// <summary>Servers of test processes that were killed run on; they are taken over and stopped here.</summary>
    static async Task RemoveLeftovers()
    {
        foreach (var folder in Directory.EnumerateDirectories(Path.GetTempPath(), TestFolder.Prefix + "*"))
        {
            if (!File.Exists(Path.Combine(folder, "postgres", "postmaster.pid"))) continue;
            try
            {
                var server = await PrivatePostgres.Start(folder, null, NullLogger.Instance, CancellationToken.None);
                var isLeftover = server.StartedHere;
                await server.DisposeAsync();
                if (isLeftover) Directory.Delete(folder, recursive: true);
            }
            catch (PrivatePostgresException e)
            {
                // Another user's: not ours to remove.
                await Console.Error.WriteLineAsync(e.Message);
            }
        }
    }
}
