using OrleansOms.Host.Database;

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
        key revoke NAME                end an API key
        import online-retail FILE      import a shop's orders; import without more tells its options
        check                          hold the laws of the domain over everything that is stored
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
                ["key", ..] => await KeyCommand.Run(args[1..]),
                ["import", ..] => await ImportCommand.RunFromCommandLine(args[1..]),
                ["check", ..] => await CheckCommand.Run(args[1..]),
                ["openapi", ..] => await OpenApiCommand.Run(args[1..]),
                ["help"] => Help(Console.Out, 0),
                _ => Help(Console.Error, 2),
            };
        }
        catch (Exception e) when (e is PrivatePostgresException or InvalidOperationException or IOException
            or UnauthorizedAccessException or Npgsql.NpgsqlException)
        {
            await Console.Error.WriteLineAsync($"OrleansOms: {e.Message}");
            return 1;
        }
    }

    static int Help(TextWriter output, int code)
    {
        output.WriteLine(Usage);
        return code;
    }
}
