using System.Security.Cryptography;
using Npgsql;
using OrleansOms.Host.Cluster;

namespace OrleansOms.Host.Database;

/// <summary>
/// A PostgreSQL server of this program's own, for the case that no connection string is set. Its cluster is in
/// <c>{data}/postgres</c>, it listens on 127.0.0.1 only, and its password is in <c>{data}/postgres.password</c>.
/// A server that already runs on the folder is used and left alone. One that a killed run of this program left behind
/// is taken over. One that dies while the program runs is started again on the same port.
/// </summary>
public sealed class PrivatePostgres : IAsyncDisposable
{
    const string Database = "oms";
    const string Role = "oms";
    const string Starting = "starting";
    const int StartAttempts = 10;
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    static readonly TimeSpan Step = TimeSpan.FromMilliseconds(200);
    static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(1);

    readonly string dataFolder;
    readonly ClusterPlace place;
    readonly PostgresBinaries binaries;
    readonly string password;
    readonly ILogger log;
    readonly CancellationTokenSource ended = new();
    FileLock? ownership;
    Task watch = Task.CompletedTask;
    int port;
    int isDisposed;

    PrivatePostgres(string dataFolder, ClusterPlace place, PostgresBinaries binaries, string password, ILogger log) =>
        (this.dataFolder, this.place, this.binaries, this.password, this.log) =
        (dataFolder, place, binaries, password, log);

    /// <summary>How to reach the database <c>oms</c> as its owner. It stays valid until the end.</summary>
    public string ConnectionString => ConnectionTo(Database);

    /// <summary>
    /// Whether this program answers for the server: it started it, or an earlier, killed run of it did. If so it is
    /// watched, and stopped with the program.
    /// </summary>
    public bool StartedHere => ownership is not null;

    /// <summary>Makes the cluster if there is none, starts the server if it does not run, makes the database.</summary>
    /// <param name="dataFolder">The program's data folder; made if missing.</param>
    /// <param name="binaries">Folder of PostgreSQL's programs, or null to look in PATH and in the usual folders.</param>
    /// <param name="log">Told what was done, once each.</param>
    /// <param name="cancel">Gives up between two steps; a server that was started is stopped again.</param>
    /// <exception cref="PrivatePostgresException">It cannot be had; the message says what to do.</exception>
    public static async Task<PrivatePostgres> Start(
        string dataFolder, string? binaries, ILogger log, CancellationToken cancel)
    {
        if (OperatingSystem.IsWindows()) throw new PrivatePostgresException(
            "On Windows there is no private PostgreSQL: set ConnectionStrings__Oms.");
        dataFolder = Path.GetFullPath(dataFolder);
        try
        {
            Directory.CreateDirectory(dataFolder);
            using var turn = await TakeTurn(dataFolder, cancel);
            var place = await ClusterPlace.Of(dataFolder, log);
            var found = PostgresBinaries.Find(binaries, place.Major, PostgresBinaries.DefaultFolders());
            var server = new PrivatePostgres(dataFolder, place, found, ReadOrMakePassword(dataFolder, place), log);
            if (!place.Exists) await server.MakeCluster();
            await server.Begin(cancel);
            return server;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new PrivatePostgresException(
                $"The database in {dataFolder} belongs to another user ({e.Message}) Run the program as the user who "
                + "first ran it, or choose another data folder with Oms__Data.", e);
        }
    }

    /// <summary>Stops the server, letting no session finish, if this program answers for it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref isDisposed, 1) == 1) return;
        await ended.CancelAsync();
        await watch;
        if (ownership is not null)
        {
            using var turn = await TakeTurn(dataFolder, CancellationToken.None);
            await Stop();
        }
        ended.Dispose();
    }

    static Task<FileLock> TakeTurn(string dataFolder, CancellationToken cancel) =>
        FileLock.Take(Path.Combine(dataFolder, "postgres.lock"), Patience, cancel);

    static string ReadOrMakePassword(string dataFolder, ClusterPlace place)
    {
        var path = Path.Combine(dataFolder, "postgres.password");
        if (File.Exists(path)) return File.ReadAllText(path).Trim();
        if (place.Exists) throw new PrivatePostgresException(
            $"{path} is missing: put it back from a backup. Without it nobody can log in to the database.");
        var made = RandomNumberGenerator.GetHexString(40, lowercase: true);
        using (var file = OwnerOnly.Open(path + ".new", FileMode.Create))
        {
            file.Write(System.Text.Encoding.ASCII.GetBytes(made));
            file.Flush(flushToDisk: true);
        }
        File.Move(path + ".new", path);
        return made;
    }

    async Task MakeCluster()
    {
        log.LogInformation("Making a PostgreSQL {Major} database in {Folder}", binaries.Major, place.Cluster);
        // Made beside its place and then renamed, so that a start that is cut short leaves no half a cluster. The
        // password passes through a file of the account's own; the temporary folder may be closed to it.
        var making = place.Cluster + ".new";
        if (Directory.Exists(making)) Directory.Delete(making, recursive: true);
        OwnerOnly.MakeFolder(making);
        await place.Account.Give(making);
        var (cluster, passwordFile) = (Path.Combine(making, "cluster"), Path.Combine(making, "password"));
        await place.Account.Write(passwordFile, password);
        var characters = OperatingSystem.IsMacOS() ? "en_US.UTF-8" : "C.UTF-8";
        var made = await place.Account.Run(binaries.Program("initdb"),
            [
                "-D", cluster, "-U", Role, $"--pwfile={passwordFile}", "--auth=scram-sha-256", "--encoding=UTF8",
                "--locale=C", $"--lc-ctype={characters}",
            ]);
        made.OrFail($"make a database in {place.Cluster}");
        (await place.Account.Run("sh",
            ["-c", "printf \"\ninclude_if_exists = 'oms.conf'\n\" >> \"$1/postgresql.conf\"", "sh", cluster]))
            .OrFail($"write {cluster}/postgresql.conf");
        Directory.Move(cluster, place.Cluster);
        Directory.Delete(making, recursive: true);
    }

    /// <summary>Joins the server that is there, or starts one, and makes the database.</summary>
    async Task Begin(CancellationToken cancel)
    {
        // Whoever starts a server holds this for as long as it lives; the word in it outlives a killed holder.
        FileLock? free = null;
        try
        {
            var deadline = DateTime.UtcNow + Patience;
            while (true)
            {
                free ??= FileLock.TryTake(Path.Combine(dataFolder, "postgres.owner"));
                var running = Postmaster.Running(place.Cluster);
                if (running is null && free is not null)
                {
                    (ownership, free) = (free, null);
                    await StartServer(cancel);
                    log.LogInformation("PostgreSQL {Major} runs on 127.0.0.1:{Port}, data in {Folder}",
                        binaries.Major, port, place.Cluster);
                    break;
                }
                if (running is not null && await Answers(running, cancel))
                {
                    if (free?.Read() is { } word && (word == Starting || word == running.Identity))
                        (ownership, free) = (free, null);
                    log.LogInformation(StartedHere
                        ? "Took over the PostgreSQL on port {Port} that a killed run left behind"
                        : "Using the PostgreSQL that runs already on port {Port}", port);
                    break;
                }
                if (DateTime.UtcNow > deadline) throw new PrivatePostgresException(
                    $"The database in {place.Cluster} is in use and does not answer; {place.LogFile} may say why.");
                await Task.Delay(Step, cancel);
            }
            await MakeDatabase(cancel);
            if (ownership is null) return;
            Remember();
            watch = Task.Run(Watch, CancellationToken.None);
        }
        catch
        {
            if (ownership is not null) await Stop();
            throw;
        }
        finally
        {
            free?.Dispose();
        }
    }

    /// <summary>Whether the server lets us in; false while it starts, recovers or stops.</summary>
    async Task<bool> Answers(Postmaster running, CancellationToken cancel)
    {
        if (running.Port == 0) return false;
        port = running.Port;
        try
        {
            await using var connection = await Connect("postgres", cancel);
            return true;
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.InvalidPassword)
        {
            throw new PrivatePostgresException(
                $"{dataFolder}/postgres.password does not open the database in {place.Cluster}.", e);
        }
        catch (NpgsqlException)
        {
            port = 0;
            return false;
        }
    }

    void Remember() => ownership!.Write(Postmaster.Running(place.Cluster)?.Identity ?? Starting);

    async Task StartServer(CancellationToken cancel)
    {
        var compression = await WalCompression();
        for (var attempt = 1; ; attempt++)
        {
            cancel.ThrowIfCancellationRequested();
            if (port == 0 || attempt > StartAttempts / 2) port = FreePort.Next();
            await place.Account.Write(Path.Combine(place.Cluster, "oms.conf"), Settings(port, compression));
            if (Postmaster.IsTaken(place.Cluster)) File.Delete(Postmaster.FileOf(place.Cluster));
            ownership!.Write(Starting);
            var from = new FileInfo(place.LogFile).Length;
            var result = await place.Account.Run(binaries.Program("pg_ctl"),
                ["start", "-D", place.Cluster, "-l", place.LogFile, "-w", "-t", "600", "-s"]);
            if (result.Ok) return;
            // What passes by itself: a port taken meanwhile, and sessions of a killed server that are still ending.
            var said = LogSince(from);
            var mayPass = said.Contains("in use", StringComparison.Ordinal)
                || said.Contains("lock file", StringComparison.Ordinal);
            if (!mayPass || attempt == StartAttempts) throw new PrivatePostgresException(
                $"PostgreSQL does not start on {place.Cluster}:\n{said}{result.Output.Trim()}");
            await Task.Delay(Step * attempt, cancel);
        }
    }

    // The old way, which "on" means, took a fifth of an order's processor time in the database (decision 0012).
    async Task<string> WalCompression()
    {
        const string best = "lz4";
        var asked = await place.Account.Run(binaries.Program("postgres"),
            ["-C", "wal_compression", "-c", $"wal_compression={best}", "-D", place.Cluster]);
        return asked.Ok ? best : "off";
    }

    string LogSince(long offset)
    {
        using var file = new FileStream(place.LogFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        const int longestBytes = 4096;
        file.Position = Math.Max(Math.Min(offset, file.Length), file.Length - longestBytes);
        return new StreamReader(file).ReadToEnd();
    }

    async Task MakeDatabase(CancellationToken cancel)
    {
        await using var connection = await Connect("postgres", cancel);
        await using var ask = new NpgsqlCommand("SELECT 1 FROM pg_database WHERE datname = $1", connection);
        ask.Parameters.AddWithValue(Database);
        if (await ask.ExecuteScalarAsync(cancel) is not null) return;
        await using var make = new NpgsqlCommand($"CREATE DATABASE {Database}", connection);
        await make.ExecuteNonQueryAsync(cancel);
    }

    async Task Watch()
    {
        using var timer = new PeriodicTimer(WatchInterval);
        while (!ended.IsCancellationRequested)
        {
            try
            {
                await timer.WaitForNextTickAsync(ended.Token);
                if (Postmaster.Running(place.Cluster) is not null) continue;
                log.LogWarning("PostgreSQL has ended by itself; starting it again on port {Port}", port);
                await StartServer(ended.Token);
                Remember();
                log.LogInformation("PostgreSQL runs again");
            }
            catch (OperationCanceledException) when (ended.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is PrivatePostgresException or IOException)
            {
                log.LogError(e, "PostgreSQL could not be started again; trying on");
            }
        }
    }

    async Task Stop()
    {
        if (Postmaster.Running(place.Cluster) is not null)
        {
            var pgCtl = binaries.Program("pg_ctl");
            var result = await place.Account.Run(pgCtl,
                ["stop", "-D", place.Cluster, "-m", "fast", "-w", "-t", "60", "-s"]);
            if (!result.Ok && Postmaster.Running(place.Cluster) is not null)
            {
                log.LogWarning("PostgreSQL does not stop: {Output}. Stopping it at once", result.Output.Trim());
                await place.Account.Run(pgCtl, ["stop", "-D", place.Cluster, "-m", "immediate", "-w", "-t", "30", "-s"]);
            }
        }
        ownership!.Write("");
        ownership.Dispose();
    }

    async Task<NpgsqlConnection> Connect(string database, CancellationToken cancel)
    {
        var connection = new NpgsqlConnection(ConnectionTo(database) + ";Pooling=false;Timeout=5");
        try
        {
            await connection.OpenAsync(cancel);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    string ConnectionTo(string database) => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1", Port = port, Username = Role, Password = password, Database = database,
        SslMode = SslMode.Disable, GssEncryptionMode = GssEncryptionMode.Disable,
    }.ConnectionString;

    static string Settings(int port, string walCompression) =>
        $"""
        # Written at every start. Your own settings go to postgresql.conf, after the line that includes this file.
        listen_addresses = '127.0.0.1'
        port = {port}
        unix_socket_directories = ''
        max_connections = 200
        shared_buffers = 128MB
        fsync = on
        synchronous_commit = on
        full_page_writes = on
        wal_compression = {walCompression}
        max_wal_size = 1GB
        jit = off
        timezone = 'UTC'
        log_timezone = 'UTC'
        log_line_prefix = '%m [%p] '
        """ + "\n";
}
