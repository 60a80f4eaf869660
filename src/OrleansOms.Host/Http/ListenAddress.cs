using System.Text.RegularExpressions;

namespace OrleansOms.Host.Http;

/// <summary>Where a program that listens somewhere is called by somebody on the same machine.</summary>
public static partial class ListenAddress
{
    /// <summary>The first address, without a slash at its end; what stands for every name of the machine is localhost.</summary>
    /// <param name="urls">As in <c>ASPNETCORE_URLS</c>, such as <c>http://+:8080;http://localhost:8081</c>.</param>
    public static string Of(string urls) =>
        EveryName().Replace(urls.Split(';')[0].Trim().TrimEnd('/'), "localhost");

    [GeneratedRegex(@"(?<=^https?://)(\+|\*|0\.0\.0\.0|\[::\])(?=:|/|$)")]
    private static partial Regex EveryName();
}
