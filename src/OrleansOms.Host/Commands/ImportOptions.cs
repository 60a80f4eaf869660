using System.Globalization;
using OrleansOms.Host.Http;

namespace OrleansOms.Host.Commands;

/// <summary>What <c>import online-retail</c> was asked to do.</summary>
public sealed record ImportOptions
{
    /// <summary>How it is called.</summary>
    public const string Usage =
        """
        import online-retail FILE [--postcodes DIR] [--url URL] [--key KEY] [--parallel N] [--report DIR]

          FILE             the shop's rows as CSV (InvoiceNo,StockCode,Description,Quantity,…)
          --postcodes DIR  a folder of GeoNames-style postcode files to take addresses from
          --url URL        where OrleansOms answers; default ASPNETCORE_URLS, else http://localhost:8080
          --key KEY        an API key; default Oms__Bootstrap__ApiKey, else the one kept in the data folder
          --parallel N     requests at once, 1 to 256; default 16
          --report DIR     where the rows left out are listed; default import/ in the data folder
        """;

    /// <summary>The CSV file.</summary>
    public required string File { get; init; }
    /// <summary>Folder of postcode files; null for none.</summary>
    public string? Postcodes { get; init; }
    /// <summary>Root of the HTTP API.</summary>
    public Uri Url { get; init; } = new("http://localhost:8080");
    /// <summary>API key of the caller.</summary>
    public required string Key { get; init; }
    /// <summary>Requests at once, 1 to 256.</summary>
    public int Parallel { get; init; } = 16;
    /// <summary>Folder for the lists of rows left out and orders refused.</summary>
    public required string Report { get; init; }
    /// <summary>Connection string of the database with the read model; null if none is known.</summary>
    public string? Database { get; init; }
    /// <summary>Whether the output is a terminal: a bar that moves instead of lines.</summary>
    public bool IsTerminal { get; init; }
    /// <summary>How long one request is tried again before the import stops.</summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromMinutes(2);
    /// <summary>How long to wait for one answer before the same request is sent again.</summary>
    public TimeSpan AnswerWithin { get; init; } = TimeSpan.FromSeconds(60);
    /// <summary>How long the read model may take to catch up.</summary>
    public TimeSpan CatchUpWithin { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Reads the command line and the settings. Null and a sentence if it makes no sense.</summary>
    /// <param name="args">What follows the word <c>import</c>.</param>
    /// <param name="setting">Environment variables by name.</param>
    public static ImportOptions? Parse(IReadOnlyList<string> args, Func<string, string?> setting, out string? fault)
    {
        fault = null;
        if (args.Count < 2 || args[0] != "online-retail")
        {
            fault = "Say what to import: online-retail FILE.";
            return null;
        }
        var named = Named(args, ref fault);
        if (named is null) return null;

        var data = NotEmpty(setting("Oms__Data")) ?? "data";
        var key = named.GetValueOrDefault("--key") ?? NotEmpty(setting("Oms__Bootstrap__ApiKey"))
            ?? FirstLine(Path.Combine(data, "secrets", "api-key"));
        if (key is null)
        {
            fault = "There is no API key: give --key, set Oms__Bootstrap__ApiKey, or start OrleansOms once with its "
                + $"data in {data}.";
            return null;
        }
        if (key.AsSpan().IndexOfAnyExceptInRange('!', '~') >= 0)
            fault = "The API key holds characters that no key has.";
        var listens = ListenAddress.Of(NotEmpty(setting("ASPNETCORE_URLS")) ?? "http://localhost:8080");
        if (!Uri.TryCreate(named.GetValueOrDefault("--url") ?? listens, UriKind.Absolute, out var url)
            || url.Scheme is not ("http" or "https"))
            fault = $"{(named.ContainsKey("--url") ? "--url" : "ASPNETCORE_URLS")} must be an http or https address.";
        if (!int.TryParse(named.GetValueOrDefault("--parallel") ?? "16", NumberStyles.None,
                CultureInfo.InvariantCulture, out var parallel) || parallel is < 1 or > 256)
            fault = "--parallel must be a number from 1 to 256.";
        if (!System.IO.File.Exists(args[1])) fault = $"There is no file {args[1]}.";
        var postcodes = named.GetValueOrDefault("--postcodes");
        if (postcodes is not null && !Directory.Exists(postcodes)) fault = $"There is no folder {postcodes}.";
        if (fault is not null) return null;

        return new ImportOptions
        {
            File = args[1],
            Postcodes = postcodes,
            Url = url!,
            Key = key,
            Parallel = parallel,
            Report = named.GetValueOrDefault("--report") ?? Path.Combine(data, "import"),
            Database = NotEmpty(setting("ConnectionStrings__Oms"))
                ?? FirstLine(Path.Combine(data, "postgres.connection")),
        };
    }

    static Dictionary<string, string>? Named(IReadOnlyList<string> args, ref string? fault)
    {
        string[] known = ["--postcodes", "--url", "--key", "--parallel", "--report"];
        var named = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 2; i < args.Count; i += 2)
        {
            if (!known.Contains(args[i])) { fault = $"There is no option {args[i]}."; return null; }
            if (i + 1 == args.Count) { fault = $"{args[i]} needs a value."; return null; }
            named[args[i]] = args[i + 1];
        }
        return named;
    }

    static string? NotEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;

    /// <summary>The first line of a small file; null if it is not there, or not ours to read.</summary>
    static string? FirstLine(string path)
    {
        try
        {
            if (!System.IO.File.Exists(path)) return null;
            return NotEmpty(System.IO.File.ReadLines(path).FirstOrDefault()?.Trim());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // as if it were not there: the caller names the ways to give what it holds
        }
    }
}
