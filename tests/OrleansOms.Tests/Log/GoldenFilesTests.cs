namespace OrleansOms.Tests.Log;

/// <summary>
/// A file that says what was stored is worth nothing if it can be edited to fit the program, and a migration that has run
/// somewhere does not run again: each of them is sealed with its first text.
/// </summary>
public sealed class GoldenFilesTests
{
    static IEnumerable<string> Files =>
        Directory.EnumerateFiles(Path.Combine(GoldenFiles.Folder, "Events"))
            .Concat(Directory.EnumerateFiles(GoldenStore.Folder))
            .Concat(Directory.EnumerateFiles(GoldenFiles.Snapshots))
            .Concat(Directory.EnumerateFiles(Path.Combine(Repository.Root, "src", "OrleansOms.Postgres", "Migrations")))
            .Order(StringComparer.Ordinal);

    [Fact]
    public void What_was_written_once_is_not_edited()
    {
        var seals = Files.Select(GoldenFiles.SealOf).ToList();
        GoldenFiles.IsWithin(Path.GetFileName(GoldenFiles.Seals), string.Join('\n', seals));
    }

    [Fact]
    public void An_edited_file_has_another_seal()
    {
        using var folder = new Fixtures.TestFolder();
        var file = Path.Combine(folder.Path, "a");
        File.WriteAllText(file, "first");
        var first = GoldenFiles.SealOf(file);
        File.WriteAllText(file, "First");
        Assert.NotEqual(first, GoldenFiles.SealOf(file));
    }
}
