using System.Diagnostics;

namespace SignalHarvester.Backup.PowerShell.Tests.Support;

/// <summary>Runs a command in a process of its own, for tests of the whole process: its environment.</summary>
internal static class HostRun
{
    /// <summary>Runs a command with the built module; fails the test if the command fails.</summary>
    /// <returns>The lines of its output.</returns>
    public static async Task<string[]> SucceedAsync(string folder, string command, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(BuiltModule.Host, ["-Command", command])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var host = Process.Start(start)!;
        var errors = host.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await host.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await host.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(host.ExitCode == 0, await errors);
        return output.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
    }
}
