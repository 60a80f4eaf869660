namespace OrleansOms.Tests.Fixtures;

/// <summary>A new folder under the temporary one, which other users can enter; deleted with what is in it.</summary>
public sealed class TestFolder : IDisposable
{
    /// <summary>Begin of the names of all of them.</summary>
    public const string Prefix = "oms-test-";

    /// <summary>Makes it.</summary>
    public TestFolder()
    {
        Path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), Prefix + Guid.NewGuid().ToString("n")[..12]);
        Directory.CreateDirectory(Path);
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <inheritdoc />
    public void Dispose()
    {
        if (Directory.Exists(Path)) Directory.Delete(Path, recursive: true);
    }
}
