using Npgsql;
using OrleansOms.Contracts.Log;
using OrleansOms.Host.Database;
using OrleansOms.Postgres;
using OrleansOms.Postgres.Log;

namespace OrleansOms.Host.Commands;

/// <summary>What the program can be told to do.</summary>
public static class CommandLine
{
    const string Usage =
        """
        up [--demo]                    start everything; --demo loads a small company and plays orders through it
        cluster                        start three silos and two front ends behind one address
        key add NAME --scopes A,B      make an API key and print it once
            [--warehouses X,Y] [--rate N|unlimited]
        key list                       list the API keys
        key renew NAME [--keep HOURS]  give an API key a new value; the former one works for so long more (24)
        key forget NAME                end former values of an API key now
        key revoke NAME                end an API key
        links renew                    sign new tracking links with a new secret
        links forget                   end tracking links that former secrets have signed
        cookies renew                  make a new key for logins' cookies
        cookies forget [--all]         end cookies of former keys, or every login
        import online-retail FILE      import a shop's orders; import without more tells its options
        check                          hold the laws of the domain over everything that is stored
        lists rebuild                  make the lists anew from the log
        openapi [FILE]                 write the OpenAPI document
        help                           this
        """;

    /// <summary>Runs a command; a fault that a person can mend is one sentence, not a stack trace.</summary>
    /// <returns>The exit code: 0 done, 1 not done, 2 called in a way that makes no sense.</returns>
    public static async Task<int> Run(string[] args)
    {
        try
        {
            return args switch
            {
                [] => await UpCommand.Run(args),
                ["up", ..] => await UpCommand.Run(args[1..]),
                [['-', ..], ..] => await UpCommand.Run(args),
                ["cluster", ..] => await ClusterCommand.Run(args[1..]),
                ["key", ..] => await OnDatabase(database => KeyCommand.Run(args[1..], new(database), Console.Out)),
                ["links", ..] => await OnDatabase(database => LinksCommand.Run(args[1..], database, Console.Out)),
                ["cookies", ..] => await OnDatabase(database => CookiesCommand.Run(args[1..], database, Console.Out)),
                ["import", ..] => await ImportCommand.RunFromCommandLine(args[1..]),
                ["check", ..] => await CheckCommand.Run(args[1..]),
                ["lists", ..] => await OnDatabase(async database =>
                {
                    await using var logs = new LogDatabases(UpCommand.SettingsOf([]).LogConnections);
                    return await ListsCommand.Run(
                        args[1..], database, TimeProvider.System, Console.Out, Console.Error, logs.All is [] ? null : logs.All);
                }),
                ["openapi", ..] => await OpenApiCommand.Run(args[1..]),
                ["help"] => Help(Console.Out, 0),
                _ => Help(Console.Error, 2),
            };
        }
        catch (Exception e) when (e is PrivatePostgresException or InvalidOperationException or IOException
            or UnauthorizedAccessException or NpgsqlException or OmsFaultException)
        {
            await Console.Error.WriteLineAsync($"OrleansOms: {e.Message}");
            return 1;
        }
    }

    /// <summary>Says why something was not done.</summary>
    internal static async Task<int> Fail(string text, int code)
    {
        await Console.Error.WriteLineAsync(text);
        return code;
    }

    /// <summary>Runs a command on the database of this place, which it brings to the present schema.</summary>
    static async Task<int> OnDatabase(Func<NpgsqlDataSource, Task<int>> run)
    {
        if (await UpCommand.FindConnection() is not { } connection)
            return await Fail("There is no database: start OrleansOms, or set ConnectionStrings__Oms.", 1);
        await Migrator.Run(connection);
        await using var database = NpgsqlDataSource.Create(connection);
        return await run(database);
    }

    static int Help(TextWriter output, int code)
    {
        output.WriteLine(Usage);
        return code;
    }
}
