using Microsoft.Extensions.Logging.Abstractions;
using OrleansOms.Host.Database;

[assembly: AssemblyFixture(typeof(OrleansOms.Tests.Fixtures.TestServer.Lifetime))]

namespace OrleansOms.Tests.Fixtures;

/// <summary>
/// The PostgreSQL that the tests of this process share: a private one in a new folder, gone when the tests end, or the
/// one that <c>OMS_TEST_POSTGRES</c> names. Tests that write make a database of their own in it.
/// </summary>
public static class TestServer
{
    static readonly Lazy<Task<string>> Shared = new(Begin);
    static Func<Task> end = () => Task.CompletedTask;

    /// <summary>Connection string of its database <c>oms</c>, as a user who may create databases.</summary>
    public static Task<string> ConnectionString() => Shared.Value;

    static async Task<string> Begin()
    {
        if (Environment.GetEnvironmentVariable("OMS_TEST_POSTGRES") is { Length: > 0 } given) return given;
        await RemoveLeftovers();
        var folder = new TestFolder();
        var server = await PrivatePostgres.Start(folder.Path, null, NullLogger.Instance, CancellationToken.None);
        end = async () =>
        {
            await server.DisposeAsync();
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

    /// <summary>
    /// Stops the server after the last test. At the end of the process there would be seconds for it, and not more.
    /// </summary>
    public sealed class Lifetime : IAsyncDisposable
    {
        /// <inheritdoc />
        public async ValueTask DisposeAsync() => await end();
    }
}
