using System.Xml.Linq;

namespace OrleansOms.Tests.Architecture;

/// <summary>What one project may reference.</summary>
/// <param name="Projects">Other projects, by their last word.</param>
/// <param name="Packages">Exact names, or a beginning and a star.</param>
/// <param name="Sdk">Which SDK builds it: only the host is a web application.</param>
sealed record Allowance(string[] Projects, string[] Packages, string Sdk = "Microsoft.NET.Sdk");

/// <summary>The reference table of the architecture, and the check of project files against it.</summary>
static class ReferenceTable
{
    const string CodeGenerator = "Microsoft.Orleans.CodeGenerator";

    /// <summary>The table. A line here is a decision.</summary>
    public static readonly IReadOnlyDictionary<string, Allowance> Table = new Dictionary<string, Allowance>
    {
        ["Domain"] = new([], ["Microsoft.Orleans.Serialization", CodeGenerator]),
        ["Contracts"] = new(["Domain"], ["Microsoft.Orleans.Sdk"]),
        ["Grains"] = new(["Contracts"],
            ["Microsoft.Orleans.Sdk", "Microsoft.Orleans.Runtime", "Microsoft.Orleans.Reminders"]),
        ["Postgres"] = new(["Contracts"], ["Npgsql", "dbup-postgresql"]),
        ["Connectors"] = new(["Contracts"],
            ["Microsoft.Extensions.Http.*", "MailKit", "SkiaSharp*", "QRCoder", "Stripe.net"]),
        ["Host"] = new(["Domain", "Contracts", "Grains", "Postgres", "Connectors"],
            [
                "Microsoft.AspNetCore.*", "Scalar.AspNetCore", "Radzen.Blazor", "Microsoft.Orleans.Server",
                "Microsoft.Orleans.Client", "Microsoft.Orleans.*.AdoNet", "OpenTelemetry.*", "Npgsql",
                "Npgsql.OpenTelemetry", "Microsoft.Extensions.Http.Resilience",
                "Yarp.ReverseProxy", "Microsoft.Orleans.Dashboard",
            ], "Microsoft.NET.Sdk.Web"),
    };

    /// <summary>Breaches of a set of project files, by project name without <c>OrleansOms.</c>; empty when all is well.</summary>
    public static IReadOnlyList<string> Breaches(IReadOnlyDictionary<string, XDocument> projects) =>
    [
        .. Table.Keys.Except(projects.Keys).Select(name => $"{name}: the project is missing"),
        .. projects.SelectMany(p => Table.TryGetValue(p.Key, out var allowed)
            ? BreachesOf(p.Key, p.Value, allowed)
            : [$"{p.Key}: a project outside the table"]),
    ];

    static IEnumerable<string> BreachesOf(string name, XDocument project, Allowance allowed)
    {
        if ((string?)project.Root!.Attribute("Sdk") is var sdk && sdk != allowed.Sdk)
            yield return $"{name}: built by {sdk}, not by {allowed.Sdk}";
        foreach (var import in project.Descendants("Import"))
            yield return $"{name}: imports {(string?)import.Attribute("Project")}";
        foreach (var reference in project.Descendants("Reference").Concat(project.Descendants("FrameworkReference")))
            yield return $"{name}: references {(string?)reference.Attribute("Include")} past the table";
        foreach (var reference in project.Descendants("ProjectReference"))
        {
            var other = NameOf(((string?)reference.Attribute("Include"))!);
            if (!allowed.Projects.Contains(other)) yield return $"{name}: may not reference {other}";
        }
        foreach (var package in project.Descendants("PackageReference"))
        {
            var id = (string?)package.Attribute("Include") ?? (string?)package.Attribute("Update") ?? "?";
            if (!allowed.Packages.Any(p => IsLike(id, p))) yield return $"{name}: may not use the package {id}";
            if (package.Attribute("Version") is not null || package.Attribute("VersionOverride") is not null)
                yield return $"{name}: {id} has a version of its own";
            if (id == CodeGenerator && (string?)package.Attribute("PrivateAssets") != "all")
                yield return $"{name}: {id} is for compile time only (PrivateAssets=all)";
        }
    }

    /// <summary><c>…/OrleansOms.Domain.csproj</c> is Domain.</summary>
    public static string NameOf(string path) =>
        Path.GetFileNameWithoutExtension(path.Replace('\\', '/')).Replace("OrleansOms.", "", StringComparison.Ordinal);

    static bool IsLike(string id, string pattern) => pattern.IndexOf('*') is >= 0 and var star
        ? id.StartsWith(pattern[..star], StringComparison.Ordinal)
            && id.EndsWith(pattern[(star + 1)..], StringComparison.Ordinal)
        : id == pattern;
}
