namespace OrleansOms.Domain.Laws;

/// <summary>Laws of the log and of what is made from it. Each answers with the breach that it found, or null.</summary>
public static class LogLaws
{
    /// <summary>L7 for a stream.</summary>
    /// <param name="last">Number of the event before; 0 before the first.</param>
    public static Breach? NoGap(string stream, int last, int next) =>
        next == last + 1 ? null : new Breach(Law.NoGap, stream, $"event {next} follows event {last}");

    /// <summary>L7 for a live view.</summary>
    public static Breach? NeverBack(string view, int shown, int next) =>
        next >= shown ? null : new Breach(Law.NoGap, view, $"version {next} was shown after {shown}");

    /// <summary>L10. The events of one command stand together; the same id later is a second effect.</summary>
    /// <param name="wasSeen">Whether an event before the last one has this command.</param>
    /// <param name="lastCommand">The command of the event just before.</param>
    public static Breach? OneEffect(string stream, int version, string command, string? lastCommand, bool wasSeen) =>
        !wasSeen || command == lastCommand ? null
            : new Breach(Law.OneEffect, stream, $"event {version} is a second effect of {command}");

    /// <summary>L12 for one value of a list.</summary>
    /// <param name="shown">What the list says.</param>
    /// <param name="folded">What the log says at the list's position.</param>
    public static Breach? ListsAreTheLog(string aggregate, string name, object? shown, object? folded) =>
        Equals(shown, folded) ? null
            : new Breach(Law.ListsAreTheLog, aggregate, $"{name} is {shown ?? "nothing"}, by the log {folded ?? "nothing"}");
}
