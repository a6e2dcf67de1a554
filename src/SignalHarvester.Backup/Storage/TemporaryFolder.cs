using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage;

/// <summary>
/// A private folder for plain database content, 0700, deleted on every way out; what a killed process left behind is
/// deleted by the next one, which finds its lock free.
/// </summary>
internal sealed class TemporaryFolder : IDisposable
{
    private const string Prefix = "shbackup-";
    private const string LockName = ".lock";
    private const int MostAttempts = 10;

    private readonly SafeFileHandle guard;

    private TemporaryFolder(string path, SafeFileHandle guard)
    {
        Path = path;
        this.guard = guard;
    }

    /// <summary>The folder's full path.</summary>
    public string Path { get; }

    /// <summary>Makes a folder below another, after clearing what dead processes left there.</summary>
    /// <param name="parent">The folder to make it in; made if it is not there.</param>
    /// <exception cref="IOException">The folder cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder cannot be made.</exception>
    public static TemporaryFolder Create(string parent)
    {
        PrivateFolder.Create(parent);
        Sweep(parent);
        for (var attempt = 1; ; attempt++)
        {
            var path = System.IO.Path.Combine(parent, Prefix + Guid.NewGuid().ToString("N"));
            PrivateFolder.Create(path);
            try
            {
                var lockPath = System.IO.Path.Combine(path, LockName);
                var guard = File.OpenHandle(lockPath, FileMode.CreateNew, FileAccess.Write, DurableFile.Exclusive);
                if (File.Exists(lockPath))
                {
                    return new TemporaryFolder(path, guard);
                }

                // .NET makes the file, then locks it. Swept in between, the lock is one on a file that is gone.
                guard.Dispose();
            }
            catch (IOException) when (attempt < MostAttempts)
            {
                // Another process may have swept the folder before its lock was there; the next name is tried.
            }
        }
    }

    /// <summary>Makes a folder below the first of several that can be written to and has room.</summary>
    /// <param name="parents">Where to try, the best first.</param>
    /// <param name="bytes">The room that is needed.</param>
    /// <exception cref="BackupException">InsufficientSpace: none has room. WriteFailed: none can be written to.</exception>
    public static TemporaryFolder CreateInFirst(IReadOnlyList<string> parents, long bytes)
    {
        BackupException? fault = null;
        foreach (var parent in parents)
        {
            try
            {
                PrivateFolder.Create(parent);
                FreeSpace.Require(parent, bytes, "the unpacked copy that the backup is checked with");
                return Create(parent);
            }
            catch (BackupException exception)
            {
                fault ??= exception;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                fault ??= DiskFault.From(exception, parent, BackupErrorId.WriteFailed, "Room for a temporary copy is needed there, or in the system's temporary folder.");
            }
        }

        throw fault!;
    }

    /// <summary>Deletes what dead processes left below a folder, which need not be there.</summary>
    public static void Sweep(string parent)
    {
        if (!Directory.Exists(parent))
        {
            return;
        }

        foreach (var folder in Directory.EnumerateDirectories(parent, Prefix + "*").Where(IsOurs))
        {
            try
            {
                Clear(folder, File.OpenHandle(System.IO.Path.Combine(folder, LockName), FileMode.Open, FileAccess.Write, DurableFile.Exclusive));
            }
            catch (FileNotFoundException)
            {
                DeleteEmpty(folder);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // In use by a living process, or another user's: not ours to clear.
            }
        }
    }

    /// <summary>A path for a file in this folder.</summary>
    public string FilePath(string name) => System.IO.Path.Combine(Path, name);

    /// <inheritdoc/>
    public void Dispose()
    {
        Clear(Path, guard);
    }

    private static bool IsOurs(string folder)
    {
        // The parent can be a folder of the user's, with other folders of such a beginning in it.
        var name = System.IO.Path.GetFileName(folder);
        return name.Length == Prefix.Length + 32
            && name.Skip(Prefix.Length).All(char.IsAsciiHexDigitLower)
            && new DirectoryInfo(folder).LinkTarget is null;
    }

    /// <summary>Deletes a folder whose lock is held. The lock goes last, so that nobody else begins to clear it meanwhile.</summary>
    private static void Clear(string folder, SafeFileHandle held)
    {
        using (held)
        {
            var lockFile = System.IO.Path.Combine(folder, LockName);
            foreach (var file in Directory.EnumerateFiles(folder).Where(file => file != lockFile))
            {
                File.Delete(file);
            }

            foreach (var inner in Directory.EnumerateDirectories(folder))
            {
                Directory.Delete(inner, recursive: true);
            }

            File.Delete(lockFile);
        }

        DeleteEmpty(folder);
    }

    private static void DeleteEmpty(string folder)
    {
        try
        {
            Directory.Delete(folder);
        }
        catch (IOException)
        {
            // Gone already, or just being made: another run is about its own clearing or making.
        }
    }
}
