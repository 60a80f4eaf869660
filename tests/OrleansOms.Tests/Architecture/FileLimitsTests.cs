namespace OrleansOms.Tests.Architecture;

public sealed class FileLimitsTests
{
    static readonly string[] Kinds = ["*.cs", "*.razor", "*.sql", "*.js", "*.css", "*.sh", "*.yaml", "*.yml"];

    [Fact]
    public void No_source_file_is_over_the_limit()
    {
        var files = Kinds.SelectMany(k => OurCode.Files(k, "src", "tests", "deploy"))
            .Append(Path.Combine(Repository.Root, "oms"))
            .Select(f => (Path.GetRelativePath(Repository.Root, f), File.ReadLines(f).Count())).ToList();
        Assert.True(files.Count > 50);
        Assert.Empty(FileLimits.TooLong(files));
    }

    [Fact]
    public void Long_file_is_a_breach_unless_it_is_generated() => Assert.Equal(
        ["src/Long.cs: 501 lines"],
        FileLimits.TooLong([("src/Long.cs", 501), ("src/Fits.cs", 500), ("src/Made.g.cs", 900), ("wwwroot/a.min.js", 900)]));
}
