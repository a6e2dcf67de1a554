using System.Security.Cryptography;

namespace SignalHarvester.Backup.Bench.Databases;

/// <summary>The places that a run reads and writes, and the chores between measurements.</summary>
internal sealed class Workspace
{
    /// <param name="work">The directory for the database and everything temporary.</param>
    public Workspace(string work)
    {
        Work = Path.GetFullPath(work);
        Scratch = Path.Combine(Work, "scratch");
        Root = FindRoot();
    }

    /// <summary>The directory given with --work.</summary>
    public string Work { get; }

    /// <summary>The root of the repository.</summary>
    public string Root { get; }

    /// <summary>Emptied before each step.</summary>
    public string Scratch { get; }

    /// <summary>A path in <see cref="Scratch"/>.</summary>
    public string this[params string[] parts] => Path.Combine([Scratch, .. parts]);

    /// <summary>Empties <see cref="Scratch"/>.</summary>
    public void Clear()
    {
        Delete(Scratch);
        Directory.CreateDirectory(Scratch);
    }

    /// <summary>Deletes a file or a directory, if it is there.</summary>
    public static void Delete(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
        else if (File.Exists(path))
        {
            File.Delete(path);
        }
    }

    /// <summary>Reads every byte once, so that the page cache holds the file.</summary>
    public static void Warm(string path)
    {
        var buffer = new byte[1 << 20];
        foreach (var file in Files(path))
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            while (stream.Read(buffer) > 0)
            {
            }
        }
    }

    /// <summary>Copies a directory with everything in it to a free path.</summary>
    public static void Copy(string directory, string to)
    {
        foreach (var folder in Directory.EnumerateDirectories(directory, "*", SearchOption.AllDirectories).Prepend(directory))
        {
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(directory, folder)));
        }

        foreach (var file in Files(directory))
        {
            File.Copy(file, Path.Combine(to, Path.GetRelativePath(directory, file)));
        }
    }

    /// <summary>Bytes in a file, or in all files below a directory.</summary>
    public static long SizeOf(string path) => Files(path).Sum(file => new FileInfo(file).Length);

    /// <summary>Bytes in all files of a backup directory or repository, without the files that the module may delete at any time.</summary>
    public static long SizeWithoutCache(string directory) => SizeOf(directory) - SizeOf(Path.Combine(directory, Module.Cache));

    /// <summary>SHA-256 of a file, in hex.</summary>
    public static string HashOf(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary>Waits until all writes have reached the disk, so that no run pays for the one before it.</summary>
    public static void Settle()
    {
        if (Tools.Missing("sync") is null)
        {
            new Command("sync", []).Run();
        }
    }

    private static IEnumerable<string> Files(string path) =>
        Directory.Exists(path) ? Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories)
        : File.Exists(path) ? [path]
        : [];

    private static string FindRoot()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Directory.Packages.props")))
            {
                return folder;
            }
        }

        throw new BenchException("The bench must be built inside the repository.");
    }
}
