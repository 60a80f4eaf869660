using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using OrleansOms.Domain.Laws;
using OrleansOms.Tests.Architecture;

namespace OrleansOms.Tests.Operation;

/// <summary>Whatever the program complains of, its runbook says what it means and what to do.</summary>
public sealed partial class AlarmTests
{
    static readonly string Book = File.ReadAllText(Path.Combine(Repository.Root, "deploy/runbook.md")).ReplaceLineEndings("\n");
    static readonly string Chapter = Alarms.Chapter(Book, "Alarms");

    [Fact]
    public void Every_complaint_has_a_row_and_every_row_a_complaint()
    {
        var said = Alarms.OfProgram();
        Assert.Contains(said, c => c is { Words: "A law is broken: …", Level: LogLevel.Critical });
        Assert.Contains(said, c => c is { Words: "PostgreSQL has ended by itself; starting it again on port …", Level: LogLevel.Warning });
        Assert.Empty(Alarms.Faults(said, Chapter));
    }

    [Fact]
    public void Every_alarm_that_is_stored_or_counted_has_a_row()
    {
        string[] sources = [.. OurCode.Sources("*.cs")];
        string[] kinds = [.. sources.SelectMany(s => Kind().Matches(s)).Select(m => $"oms_alarms_total{{kind=\"{m.Groups[1].Value}\"}}")];
        string[] events = [.. sources.SelectMany(s => StoredName().Matches(s)).Select(m => m.Groups[1].Value).Distinct()];
        Assert.Equal(3, kinds.Length);
        Assert.Equal(["law.broken.v1", "shipment.tracking-alarm-raised.v1"], events.Order());
        Assert.All(kinds.Concat(events), alarm => Assert.Contains($"`{alarm}`", Chapter, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_figure_of_the_program_is_among_those_to_watch()
    {
        string[] figures = [.. OurCode.Sources("*.cs").SelectMany(s => Figure().Matches(s)).Select(m => m.Groups[1].Value.Replace('.', '_'))];
        Assert.True(figures.Length >= 9, string.Join(' ', figures));
        var health = Alarms.Chapter(Book, "Health");
        Assert.All(figures, figure => Assert.Matches($"`{figure}(_total|_seconds)?[`{{]", health));
    }

    [Fact]
    public void Every_law_has_a_row()
    {
        var chapter = Alarms.Chapter(Book, "A law is broken");
        Assert.Equal(
            Enum.GetValues<Law>().Select(l => $"L{(int)l} `{l}`"),
            LawRow().Matches(chapter).Select(m => m.Groups[1].Value));
    }

    [Fact]
    public void Links_lead_to_chapters_that_are_there()
    {
        string[] chapters = [.. Title().Matches(Book).Select(m => m.Groups[1].Value.ToLowerInvariant().Replace(' ', '-'))];
        string[] links = [.. Link().Matches(Book).Select(m => m.Groups[1].Value)];
        Assert.NotEmpty(links);
        Assert.Empty(links.Except(chapters));
    }

    [Fact]
    public void A_complaint_without_a_row_and_a_row_without_a_complaint_are_found()
    {
        const string chapter =
            """
            ## Alarms
            | `A … burns` | warning | something is on fire here | put it out |
            | `B … burns` | error | something is on fire here | put it out |
            | `C burns` | error | fire | put it out |
            | `D burns` | error | something is on fire here | put it out |
            """;
        Assert.Equal(
            [
                "E … burns: it has 0 rows", "D burns: nobody says it", "B … burns: its level is not error",
                "C burns: what does it mean, and what is to be done?",
            ],
            Alarms.Faults(
                [new("A … burns", LogLevel.Warning), new("B … burns", LogLevel.Critical), new("C burns", LogLevel.Error), new("E … burns", LogLevel.Error)],
                chapter));
    }

    [Fact]
    public void Words_are_seen_wherever_they_are_logged_and_nobody_complains_unseen()
    {
        Assert.Equal(
            [new("A … burns at …, now.", LogLevel.Warning), new("\\\"B\\\" …", LogLevel.Error), new("C", LogLevel.Critical)],
            Alarms.Of("""
                log.LogWarning("A {What} burns at {Degrees:0.0}, "
                    + "now.", what, degrees);
                logger.LogError(e, "\"B\" {X}", x); log.LogInformation("D"); log.LogCritical("C");
                """));
        foreach (var hidden in (string[])["log.LogWarning(words)", "log.LogError($\"{a} b\")", "log.Log(LogLevel.Error, words)", "LoggerMessage.Define<int>(LogLevel.Error"])
            Assert.Throws<FormatException>(() => Alarms.Of(hidden).ToList());
        Assert.Equal([new("X … burns", LogLevel.Error)], Alarms.Of([typeof(Sample)]));
    }

    static partial class Sample
    {
        [LoggerMessage(LogLevel.Error, "X {Y} burns")]
        static partial void Burns(ILogger logger, int y);

        [LoggerMessage(LogLevel.Information, "Z")]
        static partial void Nothing(ILogger logger);
    }

    [GeneratedRegex("""\bAlarm\("([a-z-]+)"\)""")]
    private static partial Regex Kind();

    [GeneratedRegex("""\("((?=[a-z.-]*(?:alarm|broken))[a-z.-]+\.v[0-9]+)",""")]
    private static partial Regex StoredName();

    [GeneratedRegex("""\.Create(?:Observable)?(?:UpDown)?(?:Counter|Gauge|Histogram)(?:<[a-z]+>)?\(\s*"([a-z.]+)",""")]
    private static partial Regex Figure();

    [GeneratedRegex(@"^\| (L[0-9]+ `[A-Za-z]+`) \| [^|]{10,} \| [^|]{7,} \|$", RegexOptions.Multiline)]
    private static partial Regex LawRow();

    [GeneratedRegex("^## (.*)$", RegexOptions.Multiline)]
    private static partial Regex Title();

    [GeneratedRegex(@"\]\(#([a-z0-9-]+)\)")]
    private static partial Regex Link();
}
