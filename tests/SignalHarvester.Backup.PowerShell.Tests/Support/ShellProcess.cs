using System.Diagnostics;
using System.Text.Json.Nodes;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Support;

/// <summary>A command in a PowerShell of its own: our host, or the pwsh from `dotnet tool restore`.</summary>
internal sealed class ShellProcess : IDisposable
{
    /// <summary>Our host.</summary>
    public const string Host = "shbackup";

    /// <summary>PowerShell itself.</summary>
    public const string PowerShell = "pwsh";

    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(2);

    private readonly Process process;
    private readonly Task<string> output;
    private readonly Task<string> error;

    /// <summary>Starts it. Skips the test if there is no such shell, or there are no signals.</summary>
    /// <param name="shell"><see cref="Host"/> or <see cref="PowerShell"/>.</param>
    /// <param name="folder">Its current folder.</param>
    /// <param name="command">The command, with the built module imported.</param>
    public ShellProcess(string shell, string folder, string command)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no kill to send a signal with");
        // The process that started the tests may ignore SIGHUP, as under nohup.
        string[] arguments = ["--default-signal=INT,HUP", .. shell == Host
            ? (string[])[BuiltModule.Host, "-Command", command]
            : ["dotnet", Restored(), "-NoProfile", "-NonInteractive", "-Command", $"Import-Module '{BuiltModule.Manifest}'; {command}"]];
        process = Process.Start(new ProcessStartInfo("/usr/bin/env", arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["NO_COLOR"] = "1" },
        })!;
        output = process.StandardOutput.ReadToEndAsync();
        error = process.StandardError.ReadToEndAsync();
    }

    /// <summary>Whether it has ended.</summary>
    public bool HasEnded => process.HasExited;

    /// <summary>Waits until a condition is true; fails if the process ends first.</summary>
    public void WaitUntil(Func<bool> condition) =>
        Assert.True(
            SpinWait.SpinUntil(() => condition() || process.HasExited, Hang) && !process.HasExited,
            process.HasExited ? $"It ended before: {output.Result}{error.Result}" : "It did not come.");

    /// <summary>Sends a signal. If it comes too late, nothing happens.</summary>
    public void Signal(string name)
    {
        using var kill = Process.Start("/bin/sh", ["-c", $"kill -{name} {process.Id}"]);
        kill.WaitForExit();
    }

    /// <summary>Waits for its end.</summary>
    public ToolResult Finish()
    {
        if (!process.WaitForExit(Hang))
        {
            throw new TimeoutException(output.IsCompleted ? output.Result : "It goes on.");
        }

        return new ToolResult("shell", process.ExitCode, output.Result, error.Result);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
        }

        process.Dispose();
    }

    /// <summary>Returns the program itself: `dotnet pwsh` is a process before it, which passes no signals on.</summary>
    public static string Restored()
    {
        var tools = JsonNode.Parse(File.ReadAllText(Path.Combine(BuiltModule.PesterSpecs, "..", "..", ".config", "dotnet-tools.json")))!;
        var program = Path.Combine(
            BuiltModule.PackageRoot, "powershell", (string)tools["tools"]!["powershell"]!["version"]!, "tools", "net10.0", "any", "unix", "pwsh.dll");
        Assert.SkipUnless(File.Exists(program), "not restored: pwsh (dotnet tool restore)");
        return program;
    }
}
