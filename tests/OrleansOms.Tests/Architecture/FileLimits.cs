namespace OrleansOms.Tests.Architecture;

/// <summary>A source file is short enough to be read in one go.</summary>
static class FileLimits
{
    /// <summary>Most lines of one.</summary>
    public const int MaxLines = 500;

    /// <summary>Files that are longer; generated ones and those of others (<c>.min.js</c>) may be.</summary>
    public static IReadOnlyList<string> TooLong(IEnumerable<(string Path, int Lines)> files) =>
    [
        .. files.Where(f => f.Lines > MaxLines && !IsGenerated(f.Path)).Select(f => $"{f.Path}: {f.Lines} lines"),
    ];

    static bool IsGenerated(string path) =>
        path.EndsWith(".g.cs", StringComparison.Ordinal) || path.EndsWith(".min.js", StringComparison.Ordinal)
        || path.EndsWith(".min.css", StringComparison.Ordinal);
}
