using System.Diagnostics;
using System.Runtime.Versioning;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using OrleansOms.Host.Database;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Database;

/// <summary>Real servers in folders of their own. Killed ones are killed with SIGKILL.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class PrivatePostgresTests : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    readonly TestFolder folder = new();

    string Cluster => Path.Combine(folder.Path, "postgres");
    string PidFile => Path.Combine(Cluster, "postmaster.pid");
    string OwnerFile => Path.Combine(folder.Path, "postgres.owner");

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task First_start_gives_an_empty_durable_utf8_database_on_loopback_only()
    {
        await using var server = await Start();
        Assert.True(server.StartedHere);
        Assert.Equal("oms", await Ask(server, "SELECT current_database()"));
        Assert.Equal("127.0.0.1", await Ask(server, "SHOW listen_addresses"));
        Assert.Equal("", await Ask(server, "SHOW unix_socket_directories"));
        Assert.Equal("on on on", await Ask(server,
            "SELECT concat_ws(' ', current_setting('fsync'), current_setting('synchronous_commit'), "
            + "current_setting('full_page_writes'))"));
        Assert.Equal("UTF8", await Ask(server, "SHOW server_encoding"));
        Assert.Equal("äß", await Ask(server, "SELECT lower('Äß')"));
    }

    [Fact]
    public async Task Pages_in_the_log_of_changes_are_compressed_as_fast_as_this_build_can_or_not_at_all()
    {
        await using var server = await Start();
        Assert.Equal(
            await Ask(server, """
                SELECT CASE WHEN 'lz4' = ANY (enumvals) THEN 'lz4' ELSE 'off' END
                FROM pg_settings WHERE name = 'wal_compression'
                """),
            await Ask(server, "SHOW wal_compression"));
    }

    [Fact]
    public async Task Without_the_password_nobody_gets_in()
    {
        await using var server = await Start();
        var wrong = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Password = "x", Pooling = false };
        await using var connection = new NpgsqlConnection(wrong.ConnectionString);
        var refused = await Assert.ThrowsAsync<PostgresException>(() => connection.OpenAsync());
        Assert.Equal(PostgresErrorCodes.InvalidPassword, refused.SqlState);
        var rules = await File.ReadAllLinesAsync(Path.Combine(Cluster, "pg_hba.conf"));
        Assert.All(rules.Where(r => r.Length > 0 && r[0] != '#'), r => Assert.EndsWith("scram-sha-256", r));
    }

    [Fact]
    public async Task Secrets_and_data_are_readable_by_their_owner_only()
    {
        await using var server = await Start();
        const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
            | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        foreach (var name in (string[])["postgres", "postgres.password", "postgres.log", "postgres/oms.conf"])
            Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(Path.Combine(folder.Path, name)) & others);
    }

    [Fact]
    public async Task End_of_the_program_stops_the_server_and_the_next_start_has_the_data()
    {
        await using (var first = await Start()) await Ask(first, "CREATE TABLE kept AS SELECT 'yes' AS word");
        Assert.False(File.Exists(PidFile));
        await using var second = await Start();
        Assert.True(second.StartedHere);
        Assert.Equal("yes", await Ask(second, "SELECT word FROM kept"));
    }

    [Fact]
    public async Task Second_start_on_a_running_server_uses_it_and_leaves_it_alone()
    {
        await using var first = await Start();
        await using (var second = await Start())
        {
            Assert.False(second.StartedHere);
            Assert.Equal(first.ConnectionString, second.ConnectionString);
        }
        Assert.Equal("1", await Ask(first, "SELECT 1"));
    }

    [Fact]
    public async Task Two_starts_at_once_share_one_server()
    {
        var servers = await Task.WhenAll(Start(), Start(), Start());
        try
        {
            Assert.Single(servers, s => s.StartedHere);
            Assert.Single(servers.Select(s => s.ConnectionString).Distinct());
        }
        finally
        {
            foreach (var server in servers) await server.DisposeAsync();
        }
    }

    [Fact]
    public async Task Server_killed_under_the_running_program_comes_back_on_the_same_port_with_its_data()
    {
        await using var server = await Start();
        await Ask(server, "CREATE TABLE kept AS SELECT 'yes' AS word");
        Kill();
        Assert.Equal("yes", await Eventually(() => Ask(server, "SELECT word FROM kept")));
    }

    [Fact]
    public async Task After_program_and_server_are_killed_the_next_start_recovers_the_data()
    {
        await using (var first = await Start()) await Ask(first, "CREATE TABLE kept AS SELECT 'yes' AS word");
        // As after SIGKILL of the program: the server runs, the owner's word is there, and nobody holds the lock.
        StartByHand();
        await File.WriteAllTextAsync(OwnerFile, "starting");
        Kill();
        Assert.True(File.Exists(PidFile));
        await using var second = await Start();
        Assert.True(second.StartedHere);
        Assert.Equal("yes", await Ask(second, "SELECT word FROM kept"));
    }

    [Fact]
    public async Task Server_left_behind_by_a_killed_program_is_taken_over_and_stopped_with_the_next_one()
    {
        await (await Start()).DisposeAsync();
        StartByHand();
        await File.WriteAllTextAsync(OwnerFile, "starting");
        var pid = await File.ReadAllTextAsync(PidFile);
        await using (var next = await Start())
        {
            Assert.True(next.StartedHere);
            Assert.Equal(pid.Split('\n')[0], (await File.ReadAllTextAsync(PidFile)).Split('\n')[0]);
        }
        Assert.False(File.Exists(PidFile));
    }

    [Fact]
    public async Task Server_started_by_hand_is_not_stopped()
    {
        await (await Start()).DisposeAsync();
        StartByHand();
        await using (var next = await Start()) Assert.False(next.StartedHere);
        Assert.True(File.Exists(PidFile));
        Kill();
    }

    [Fact]
    public async Task Process_number_of_a_dead_server_that_another_process_has_by_now_does_not_hinder_the_start()
    {
        await using (var first = await Start()) await Ask(first, "CREATE TABLE kept AS SELECT 'yes' AS word");
        StartByHand();
        var left = await File.ReadAllLinesAsync(PidFile);
        Kill();
        left[0] = Environment.ProcessId.ToString();
        await File.WriteAllLinesAsync(PidFile, left);
        await using var second = await Start();
        Assert.Equal("yes", await Ask(second, "SELECT word FROM kept"));
    }

    [Fact]
    public async Task Start_that_was_cut_short_while_making_the_cluster_is_begun_anew()
    {
        Directory.CreateDirectory(Cluster + ".new");
        await File.WriteAllTextAsync(Path.Combine(Cluster + ".new", "PG_VERSION"), "15");
        await using var server = await Start();
        Assert.Equal("1", await Ask(server, "SELECT 1"));
    }

    [Fact]
    public async Task Root_may_keep_the_data_where_no_other_user_can_go()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && OperatingSystem.IsLinux(), "Only root has this trouble.");
        var closed = Path.Combine(folder.Path, "closed");
        var data = Path.Combine(closed, "data");
        Directory.CreateDirectory(data);
        File.SetUnixFileMode(closed, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await using var first = await Start(data);
        var home = Path.GetDirectoryName(new DirectoryInfo(Path.Combine(data, "postgres")).LinkTarget)!;
        try
        {
            await Ask(first, "CREATE TABLE kept AS SELECT 'yes' AS word");
            await first.DisposeAsync();
            await using var second = await Start(data);
            Assert.Equal("yes", await Ask(second, "SELECT word FROM kept"));
        }
        finally
        {
            await first.DisposeAsync();
            Directory.Delete(home, recursive: true);
        }
        var gone = await Assert.ThrowsAsync<PrivatePostgresException>(() => Start(data));
        Assert.Contains("is gone", gone.Message);
    }

    [Fact]
    public async Task Missing_binaries_give_one_error_that_names_both_ways_out()
    {
        var set = await Assert.ThrowsAsync<PrivatePostgresException>(() =>
            PrivatePostgres.Start(folder.Path, folder.Path, NullLogger.Instance, CancellationToken.None));
        var found = Assert.Throws<PrivatePostgresException>(() => PostgresBinaries.Find(null, null, [folder.Path]));
        Assert.All([set, found], e => Assert.Contains("Oms__PostgresBin", e.Message));
        Assert.All([set, found], e => Assert.Contains("ConnectionStrings__Oms", e.Message));
    }

    [Fact]
    public async Task Missing_password_file_is_named()
    {
        await (await Start()).DisposeAsync();
        File.Delete(Path.Combine(folder.Path, "postgres.password"));
        var refused = await Assert.ThrowsAsync<PrivatePostgresException>(() => Start());
        Assert.Contains("postgres.password", refused.Message);
    }

    [Fact]
    public void Cluster_of_another_version_is_not_opened()
    {
        var wrong = Assert.Throws<PrivatePostgresException>(() =>
            PostgresBinaries.Find(null, 14, PostgresBinaries.DefaultFolders()));
        Assert.Contains("PostgreSQL 14", wrong.Message);
    }

    [Fact]
    public async Task Tests_share_one_server()
    {
        var shared = await TestServer.ConnectionString();
        Assert.Equal(shared, await TestServer.ConnectionString());
        await using var connection = new NpgsqlConnection(shared);
        await connection.OpenAsync();
    }

    Task<PrivatePostgres> Start(string? data = null) =>
        PrivatePostgres.Start(data ?? folder.Path, null, NullLogger.Instance, CancellationToken.None);

    static async Task<string?> Ask(PrivatePostgres server, string sql)
    {
        await using var connection = new NpgsqlConnection(server.ConnectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (await command.ExecuteScalarAsync())?.ToString();
    }

    static async Task<T> Eventually<T>(Func<Task<T>> ask)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                return await ask();
            }
            catch (NpgsqlException) when (clock.Elapsed < Patience)
            {
                await Task.Yield();
            }
        }
    }

    void Kill()
    {
        using var process = Process.GetProcessById(int.Parse(File.ReadLines(PidFile).First()));
        process.Kill();
        process.WaitForExit();
    }

    void StartByHand()
    {
        var bin = PostgresBinaries.Find(null, null, PostgresBinaries.DefaultFolders());
        var owner = Environment.IsPrivilegedProcess ? "setpriv --reuid postgres --regid postgres --clear-groups " : "";
        using var process = Process.Start(new ProcessStartInfo("sh")
        {
            ArgumentList =
            {
                "-c", owner + "\"$1\" start -s -w -D \"$2\" -l \"$2.log\"", "sh", bin.Program("pg_ctl"), Cluster,
            },
            WorkingDirectory = "/",
        })!;
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
