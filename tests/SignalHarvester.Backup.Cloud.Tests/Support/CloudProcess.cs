using System.Diagnostics;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Cloud.Tests.Support;

/// <summary>The built shbackup as a user runs it: in a process and an environment of its own.</summary>
internal sealed class CloudProcess : IDisposable
{
    private readonly Process process;
    private readonly Task<string> output;
    private readonly Task<string> error;

    /// <summary>Starts a command.</summary>
    /// <param name="folder">The current folder, which is also the account's home, so that no credentials of this machine are found.</param>
    /// <param name="environment">The variables with the credentials.</param>
    /// <param name="command">The command.</param>
    public CloudProcess(string folder, IReadOnlyDictionary<string, string> environment, string command)
    {
        var start = new ProcessStartInfo(Executable, ["-Command", command])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(IsOfCloud).ToList())
        {
            start.Environment.Remove(name);
        }

        start.Environment["HOME"] = folder;
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        process = Process.Start(start)!;
        process.StandardInput.Close();
        output = process.StandardOutput.ReadToEndAsync();
        error = process.StandardError.ReadToEndAsync();
    }

    public bool HasEnded => process.HasExited;

    private static string Executable { get; } = FindExecutable();

    /// <summary>Waits for the end, and returns the output, which must be all that the command had to say.</summary>
    public async Task<string> SucceedAsync(CancellationToken stop)
    {
        var result = await EndAsync(stop);
        Assert.True(result.ExitCode == 0 && result.Error.Length == 0, $"{result.ExitCode}: {result.Output}{result.Error}");
        return result.Output;
    }

    /// <summary>Waits for the end.</summary>
    public async Task<ToolResult> EndAsync(CancellationToken stop)
    {
        await process.WaitForExitAsync(stop);
        return new ToolResult("shbackup", process.ExitCode, await output, await error);
    }

    /// <summary>SIGKILL.</summary>
    public void Kill()
    {
        process.Kill();
        process.WaitForExit();
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            Kill();
        }

        process.Dispose();
    }

    private static bool IsOfCloud(string name) =>
        name.StartsWith("AWS_", StringComparison.Ordinal) || name.StartsWith("AZURE_", StringComparison.Ordinal)
        || name.StartsWith("GOOGLE_", StringComparison.Ordinal) || name.StartsWith("STORAGE_", StringComparison.Ordinal);

    private static string FindExecutable()
    {
        // .../tests/<project>/bin/<Configuration>/net10.0
        var built = new DirectoryInfo(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var root = built.Parent!.Parent!.Parent!.Parent!.Parent!.FullName;
        return Path.Combine(
            root, "src", "SignalHarvester.Backup.Host", "bin", built.Parent.Name, built.Name, OperatingSystem.IsWindows() ? "shbackup.exe" : "shbackup");
    }
}
