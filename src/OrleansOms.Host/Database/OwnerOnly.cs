namespace OrleansOms.Host.Database;

/// <summary>Files and folders that nobody but their owner may read, from the moment that they exist.</summary>
internal static class OwnerOnly
{
    /// <summary>Opens or makes a file. Its mode counts when it is made.</summary>
    public static FileStream Open(string path, FileMode mode, FileShare share = FileShare.Read)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new(path, options);
    }

    /// <summary>Makes a folder.</summary>
    public static void MakeFolder(string path)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>Writes a file in one step, so that nobody ever reads half of it; makes its folder.</summary>
    public static void Write(string path, string text)
    {
        if (Path.GetDirectoryName(path) is { Length: > 0 } folder && !Directory.Exists(folder)) MakeFolder(folder);
        using (var file = Open(path + ".new", FileMode.Create)) file.Write(System.Text.Encoding.UTF8.GetBytes(text));
        File.Move(path + ".new", path, overwrite: true);
    }
}
