using System.Text;

namespace OrleansOms.Host.Database;

/// <summary>
/// A file that one holder at a time has open. The kernel frees it when the holder ends, however it ends.
/// </summary>
internal sealed class FileLock : IDisposable
{
    static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    readonly FileStream file;

    FileLock(FileStream file) => this.file = file;

    /// <summary>Takes it, or null if someone else has it.</summary>
    public static FileLock? TryTake(string path)
    {
        try
        {
            return new(OwnerOnly.Open(path, FileMode.OpenOrCreate, FileShare.None));
        }
        catch (IOException e) when (e is not (FileNotFoundException or DirectoryNotFoundException))
        {
            return null;
        }
    }

    /// <summary>Takes it when it is free.</summary>
    /// <exception cref="PrivatePostgresException">It was not free within <paramref name="patience"/>.</exception>
    public static async Task<FileLock> Take(string path, TimeSpan patience, CancellationToken cancel)
    {
        var deadline = DateTime.UtcNow + patience;
        while (true)
        {
            if (TryTake(path) is { } taken) return taken;
            if (DateTime.UtcNow > deadline) throw new PrivatePostgresException(
                $"Another program has been starting or stopping the database for {patience.TotalSeconds:0} s; it "
                + $"holds {path}.");
            await Task.Delay(Step, cancel);
        }
    }

    /// <summary>What the last holder wrote into it.</summary>
    public string Read()
    {
        file.Position = 0;
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>Leaves a word for the next holder.</summary>
    public void Write(string text)
    {
        file.SetLength(0);
        file.Position = 0;
        file.Write(Encoding.UTF8.GetBytes(text));
        file.Flush(flushToDisk: true);
    }

    /// <inheritdoc />
    public void Dispose() => file.Dispose();
}
