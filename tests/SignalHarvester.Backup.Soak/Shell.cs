using System.Diagnostics;

namespace SignalHarvester.Backup.Soak;

/// <summary>The built shbackup.</summary>
internal static class Shell
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>The path of the host that was built with this program.</summary>
    private static string Executable { get; } = Find();

    /// <summary>Returns a text as a PowerShell literal.</summary>
    public static string Quote(string text) => "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";

    /// <summary>Starts a command.</summary>
    public static Process Start(string command, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(Executable, ["-Command", command])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    /// <summary>Runs a command to its end, and returns its output, then its errors.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(string command, IReadOnlyDictionary<string, string> environment)
    {
        using var process = Start(command, environment);
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync().WaitAsync(Patience);
        await process.WaitForExitAsync().WaitAsync(Patience);
        return (process.ExitCode, output, await error);
    }

    private static string Find()
    {
        // .../tests/<project>/bin/<Configuration>/net10.0
        var output = new DirectoryInfo(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var root = output.Parent!.Parent!.Parent!.Parent!.Parent!.FullName;
        return Path.Combine(root, "src", "SignalHarvester.Backup.Host", "bin", output.Parent.Name, output.Name, "shbackup");
    }
}
