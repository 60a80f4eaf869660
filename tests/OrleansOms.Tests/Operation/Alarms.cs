using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using OrleansOms.Tests.Architecture;

namespace OrleansOms.Tests.Operation;

/// <summary>Something that the program says in its journal when it is not well.</summary>
/// <param name="Words">With <c>…</c> for what differs each time.</param>
sealed record Complaint(string Words, LogLevel Level);

/// <summary>What the program may complain of, and what its runbook has to say to that.</summary>
static partial class Alarms
{
    /// <summary>A row of the runbook.</summary>
    public sealed record Row(string Words, string Level, string Means, string Do);

    /// <summary>The complaints of compiled code: those with an attribute.</summary>
    public static IEnumerable<Complaint> Of(IEnumerable<Type> types) => types
        .SelectMany(t => t.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
        .Select(m => m.GetCustomAttribute<LoggerMessageAttribute>()).OfType<LoggerMessageAttribute>()
        .Where(a => a.Level >= LogLevel.Warning).Select(a => new Complaint(Blank(a.Message), a.Level));

    /// <summary>The complaints of source text: those that are logged where they occur.</summary>
    /// <exception cref="FormatException">One is logged in a way in which its words cannot be seen.</exception>
    public static IEnumerable<Complaint> Of(string source)
    {
        if (Unseen().Match(source) is { Success: true } other) throw new FormatException($"Nobody sees what this says: {other.Value}");
        foreach (Match call in Call().Matches(source))
        {
            var words = Words().Match(source[(call.Index + call.Length)..]);
            if (!words.Success) throw new FormatException($"Nobody sees what this says: {source[call.Index..].Split('\n')[0]}");
            yield return new Complaint(
                Blank(string.Concat(Literal().Matches(words.Groups[1].Value).Select(m => m.Groups[1].Value))), Enum.Parse<LogLevel>(call.Groups[1].Value));
        }
    }

    /// <summary>Complaints of all that we have written.</summary>
    public static IReadOnlyList<Complaint> OfProgram() =>
        [.. Of(OurCode.Assemblies.SelectMany(a => a.GetTypes())).Concat(OurCode.Sources("*.cs").Concat(OurCode.Sources("*.razor")).SelectMany(Of)).Distinct()];

    /// <summary>A chapter of the runbook.</summary>
    public static string Chapter(string runbook, string title)
    {
        var from = runbook.IndexOf($"\n## {title}\n", StringComparison.Ordinal) + 1;
        if (from == 0) throw new ArgumentException($"The runbook has no chapter {title}.");
        var to = runbook.IndexOf("\n## ", from, StringComparison.Ordinal);
        return to < 0 ? runbook[from..] : runbook[from..to];
    }

    /// <summary>Rows about complaints.</summary>
    public static IReadOnlyList<Row> Rows(string chapter) =>
        [.. RowLine().Matches(chapter).Select(m => new Row(m.Groups[1].Value, m.Groups[2].Value, m.Groups[3].Value, m.Groups[4].Value))];

    /// <summary>What the runbook does not say, says of nothing, or says in too few words.</summary>
    public static IReadOnlyList<string> Faults(IEnumerable<Complaint> complaints, string chapter)
    {
        var (said, rows) = (complaints.ToList(), Rows(chapter));
        return
        [
            .. said.Where(c => rows.Count(r => r.Words == c.Words) != 1).Select(c => $"{c.Words}: it has {rows.Count(r => r.Words == c.Words)} rows"),
            .. rows.Where(r => said.All(c => c.Words != r.Words)).Select(r => $"{r.Words}: nobody says it"),
            .. rows.Where(r => said.Any(c => c.Words == r.Words && !$"{c.Level}".Equals(r.Level, StringComparison.OrdinalIgnoreCase)))
                .Select(r => $"{r.Words}: its level is not {r.Level}"),
            .. rows.Where(r => r.Means.Length < 15 || r.Do.Length < 7).Select(r => $"{r.Words}: what does it mean, and what is to be done?"),
        ];
    }

    static string Blank(string message) => Placeholder().Replace(message, "…");

    [GeneratedRegex(@"\{[A-Za-z]+(?:[,:][^}]*)?\}")]
    private static partial Regex Placeholder();

    [GeneratedRegex(@"\.Log(Warning|Error|Critical)\(")]
    private static partial Regex Call();

    [GeneratedRegex(@"\.Log\((?:LogLevel\.)?(?:Warning|Error|Critical)|LoggerMessage\.Define.*")]
    private static partial Regex Unseen();

    [GeneratedRegex("""^\s*(?:[a-z]\w*,\s*)?("(?:[^"\\]|\\.)*"(?:\s*\+\s*"(?:[^"\\]|\\.)*")*)\s*[,)]""")]
    private static partial Regex Words();

    [GeneratedRegex("""
        "((?:[^"\\]|\\.)*)"
        """)]
    private static partial Regex Literal();

    [GeneratedRegex(@"^\| `([^`]+)` \| (warning|error|critical) \| ([^|]*) \| ([^|]*) \|\r?$", RegexOptions.Multiline)]
    private static partial Regex RowLine();
}
