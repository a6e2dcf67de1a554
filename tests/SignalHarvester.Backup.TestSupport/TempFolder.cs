namespace SignalHarvester.Backup.TestSupport;

/// <summary>
/// A folder of its own for one test, removed with everything in it. Unless a plain one is requested, its name has characters on
/// which careless code fails: a space, a quote, PowerShell wildcards, connection-string and URI syntax, and non-ASCII.
/// </summary>
public sealed class TempFolder : IDisposable
{
    /// <param name="plain">True for a name of ASCII letters and digits only.</param>
    public TempFolder(bool plain = false)
    {
        var unique = Guid.NewGuid().ToString("N")[..8];
        Path = System.IO.Path.Combine(
            System.IO.Path.GetTempPath(),
            plain ? $"shb{unique}" : $"sh 'ü漢' [{unique}] %41#;&");
        Directory.CreateDirectory(Path);
    }

    /// <summary>The folder's absolute path.</summary>
    public string Path { get; }

    /// <summary>The path of something inside the folder, whether it exists or not.</summary>
    public string this[params string[] parts] => System.IO.Path.Combine([Path, .. parts]);

    /// <summary>Makes a folder inside this one and returns its path.</summary>
    public string Folder(params string[] parts) => Directory.CreateDirectory(this[parts]).FullName;

    public void Dispose()
    {
        MakeWritable();
        Directory.Delete(Path, recursive: true);
    }

    // Tests of read-only folders and files must not leave them behind.
    private void MakeWritable()
    {
        var everything = new EnumerationOptions
        {
            RecurseSubdirectories = true,
            AttributesToSkip = FileAttributes.ReparsePoint,
        };
        if (OperatingSystem.IsWindows())
        {
            foreach (var file in Directory.EnumerateFiles(Path, "*", everything))
            {
                File.SetAttributes(file, FileAttributes.Normal);
            }

            return;
        }

        var pending = new Stack<string>([Path]);
        while (pending.TryPop(out var folder))
        {
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            foreach (var child in Directory.EnumerateDirectories(folder))
            {
                if (new DirectoryInfo(child).LinkTarget is null)
                {
                    pending.Push(child);
                }
            }
        }
    }
}
