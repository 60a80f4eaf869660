namespace OrleansOms.Tests;

/// <summary>Where the sources of this build are.</summary>
static class Repository
{
    /// <summary>The folder with <c>OrleansOms.sln</c>.</summary>
    public static string Root { get; } = Find();

    static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "OrleansOms.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("The tests were moved out of their repository.");
    }
}
