namespace OrleansOms.Host.Security;

/// <summary>Files that only their owner may read.</summary>
public static class OwnerFile
{
    const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes a file in one step, so that nobody ever reads half of it; makes its folder.</summary>
    public static void Write(string path, string text)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (!Directory.Exists(folder))
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
            else Directory.CreateDirectory(folder, Private | UnixFileMode.UserExecute);
        }
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = Private;
        using (var file = new FileStream(path + ".new", options)) file.Write(System.Text.Encoding.UTF8.GetBytes(text));
        File.Move(path + ".new", path, overwrite: true);
    }
}
