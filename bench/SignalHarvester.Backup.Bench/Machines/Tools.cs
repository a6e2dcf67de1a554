using System.Text.RegularExpressions;

namespace SignalHarvester.Backup.Bench.Machines;

/// <summary>The programs on this machine.</summary>
internal static partial class Tools
{
    /// <summary>The path from Debian's package <c>time</c>; the shell's own keyword measures no memory.</summary>
    public const string GnuTime = "/usr/bin/time";

    /// <summary>The programs whose versions are in the report, and the argument that prints the version.</summary>
    private static readonly (string Name, string Argument)[] Versioned =
    [
        ("sqlite3", "--version"), ("zstd", "--version"), ("openssl", "version"), ("restic", "version"),
        ("borg", "--version"), ("litestream", "version"), ("pwsh", "--version"), ("dotnet", "--version"),
    ];

    /// <summary>Whether processor time and memory can be measured here.</summary>
    public static bool HasGnuTime { get; } = OperatingSystem.IsLinux() && File.Exists(GnuTime);

    /// <summary>Returns which of the programs are missing on the path, as a reason to skip; null if none is.</summary>
    public static string? Missing(params string[] names)
    {
        string[] absent = [.. names.Where(name => Find(name) is null)];
        return absent.Length == 0 ? null : $"not installed: {string.Join(", ", absent)}";
    }

    /// <summary>Returns the version of each installed program.</summary>
    public static IReadOnlyDictionary<string, string> Versions()
    {
        var versions = new Dictionary<string, string>();
        foreach ((var name, var argument) in Versioned.Where(tool => Find(tool.Name) is not null))
        {
            using var process = new Command(name, [argument]).Start();
            versions[name] = VersionNumber().Match(process.StandardOutput.ReadToEnd()).Value;
            process.WaitForExit();
        }

        return versions;
    }

    [GeneratedRegex(@"\d+(\.\d+)+")]
    private static partial Regex VersionNumber();

    private static string? Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, OperatingSystem.IsWindows() ? name + ".exe" : name))
            .FirstOrDefault(File.Exists);
}
