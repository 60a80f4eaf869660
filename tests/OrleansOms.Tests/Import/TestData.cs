using OrleansOms.Connectors.Channels.OnlineRetail;

namespace OrleansOms.Tests.Import;

/// <summary>Where the tests of the import find their data.</summary>
static class TestData
{
    /// <summary>Sixty-odd rows of our own making with every oddity that we know of.</summary>
    public static string Sample => Path.Combine(Repository.Root, "tests", "OrleansOms.Tests", "Import", "sample.csv");

    public static RetailFile ReadSample() => Read(Sample);

    public static RetailFile Read(string path)
    {
        using var text = new StreamReader(path);
        return RetailFile.Read(text, out _)!;
    }

    /// <summary>A file or folder of the data beside the repository; the test is skipped where it is not there.</summary>
    public static string Shared(params string[] parts)
    {
        var path = Path.GetFullPath(Path.Combine([Repository.Root, "..", "shared", "data", .. parts]));
        Assert.SkipUnless(Path.Exists(path),
            $"The data beside the repository is not there (../shared/data/{string.Join('/', parts)}).");
        return path;
    }
}
