using System.Collections;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Hosting;
using OrleansOms.Grains;
using OrleansOms.Host;
using OrleansOms.Host.Cluster;
using OrleansOms.Host.Ui.Track;

namespace OrleansOms.Tests.Architecture;

/// <summary>What the README, the runbook and the manifests say of settings is what the program reads.</summary>
public sealed partial class SettingsTests
{
    /// <summary>What the name ends with of what is said of each of several.</summary>
    const string Each = "__…";

    // What is read by its name, not through a class.
    static readonly Dictionary<string, object?> Single = new()
    {
        ["ConnectionStrings__Oms"] = null, ["ASPNETCORE_URLS"] = "http://localhost:8080", ["Oms__PostgresBin"] = null,
        ["ASPNETCORE_FORWARDEDHEADERS_ENABLED"] = false,
    };

    /// <summary>Every setting with its default.</summary>
    internal static readonly IReadOnlyDictionary<string, object?> Known = new[]
        {
            Of("Oms", new HostSettings()), Of("Oms", new OmsSettings()), Of("Oms__Track", new TrackSettings()), Single,
        }
        .SelectMany(s => s).ToDictionary();

    public static TheoryData<string> Files => new(
        new[] { "README.md", "CHANGELOG.md", "docker-compose.yml", "oms" }
            .Concat(Directory.EnumerateFiles(Path.Combine(Repository.Root, "deploy"), "*", SearchOption.AllDirectories)
                .Select(f => Path.GetRelativePath(Repository.Root, f))));

    [Theory, MemberData(nameof(Files))]
    public void A_setting_that_is_named_anywhere_exists(string file) => Assert.Empty(Unknown(Read(file)));

    [Fact]
    public void Every_setting_is_in_the_readme_once_with_its_default()
    {
        var rows = Rows(Read("README.md"));
        Assert.Equal(Known.Keys.Order(), rows.Select(r => r.Name).Order());
        Assert.DoesNotContain(rows, r => r.Default is not null && !IsDefault(r.Name, r.Default));
    }

    [Fact]
    public void What_does_not_exist_and_what_is_no_default_is_found()
    {
        Assert.Equal(["Oms__Rolle", "Oms:Silo:Ports"], Unknown("- Oms__Rolle: web\n./oms up --Oms:Silo:Ports 1"));
        Assert.Equal([("Oms__Role", "web"), ("Oms__Data", null)], Rows("| `Oms__Role`, `Oms__Data` | x | `web` |\n"));
        Assert.False(IsDefault("Oms__Role", "web"));
        Assert.True(IsDefault("Oms__Role", "all"));
    }

    [Fact]
    public void Manifests_ask_where_the_program_answers_and_wait_until_it_has_ended()
    {
        var (manifest, compose, image) = (Read("deploy/kubernetes/oms.yaml"), Read("docker-compose.yml"), Read("deploy/Dockerfile"));
        var health = File.ReadAllText(Path.Combine(Repository.Root, "src/OrleansOms.Host/Health.cs"));
        string[] paths = [.. HealthPath().Matches(manifest + compose + image).Select(m => m.Value).Distinct()];
        Assert.Equal(["/health/live", "/health/ready"], paths.Order());
        Assert.All(paths, p => Assert.Contains($"MapGet(\"{p}\"", health, StringComparison.Ordinal));
        Assert.Equal(
            ["11111", "30000", "8080"], ContainerPort().Matches(manifest).Select(m => m.Groups[1].Value).Distinct().Order());
        Assert.Contains("ASPNETCORE_URLS=http://0.0.0.0:8080", image, StringComparison.Ordinal);
        var drain = (Drain.OfFrontEnd + new HostOptions().ShutdownTimeout).TotalSeconds;
        int[] patience = [.. Grace().Matches(manifest + compose).Select(m => int.Parse(m.Groups[1].Value))];
        Assert.Equal(4, patience.Length);
        Assert.All(patience, seconds => Assert.True(seconds > drain, $"{seconds} s end before the drain of {drain} s does"));
    }

    static List<string> Unknown(string text) =>
    [
        .. Named().Matches(text).Select(m => m.Value)
            .Where(name => name.Replace(":", "__", StringComparison.Ordinal) is var known && !Known.ContainsKey(known) && !Known.ContainsKey($"{known}{Each}")),
    ];

    // A default stands for one setting, or for each of several if there are as many.
    static List<(string Name, string? Default)> Rows(string text) =>
    [
        .. Row().Matches(text).SelectMany(row =>
        {
            string[] names = [.. Code().Matches(row.Groups[1].Value).Select(m => m.Groups[1].Value)];
            string[] defaults = [.. Code().Matches(row.Groups[3].Value).Select(m => m.Groups[1].Value)];
            return names.Select((n, i) => (n, i < defaults.Length ? defaults[i] : null));
        }),
    ];

    static bool IsDefault(string name, string text) =>
        string.Equals(text, $"{Known[name]}", StringComparison.OrdinalIgnoreCase);

    static Dictionary<string, object?> Of(string prefix, object settings)
    {
        var found = new Dictionary<string, object?>();
        foreach (var property in settings.GetType().GetProperties().Where(p => p.CanWrite))
        {
            var (name, value) = ($"{prefix}__{property.Name}", property.GetValue(settings));
            if (value is IDictionary) found.Add($"{name}{Each}", null);
            else if (value?.GetType() is { IsClass: true } type && type != typeof(string))
                foreach (var inner in Of(name, value)) found.Add(inner.Key, inner.Value);
            else found.Add(name, value);
        }
        return found;
    }

    static string Read(string file) => File.ReadAllText(Path.Combine(Repository.Root, file));

    [GeneratedRegex(@"\b(?:Oms|ConnectionStrings)(?:(?:__|:)[A-Z][A-Za-z]*)+")]
    private static partial Regex Named();

    [GeneratedRegex(@"^\| (`(?:Oms__|ConnectionStrings__|ASPNETCORE_)[^|]*) \| ([^|]*) \| ?([^|]*)\|\r?$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`([^`]*)`")]
    private static partial Regex Code();

    [GeneratedRegex("/health/[a-z]+")]
    private static partial Regex HealthPath();

    [GeneratedRegex("containerPort: ([0-9]+)")]
    private static partial Regex ContainerPort();

    [GeneratedRegex("(?:terminationGracePeriodSeconds|stop_grace_period): ([0-9]+)")]
    private static partial Regex Grace();
}
