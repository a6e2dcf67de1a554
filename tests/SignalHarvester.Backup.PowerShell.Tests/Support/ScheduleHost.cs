using System.Diagnostics;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Support;

/// <summary>
/// A folder as the home of an account, with <c>app.db</c> in it, and the built host in processes of their own. Schedules registered
/// there start the host too.
/// </summary>
internal sealed class ScheduleHost : IDisposable
{
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(2);

    private readonly TempFolder folder = new();

    /// <summary>Makes the home.</summary>
    public ScheduleHost()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "takes the folders of an account as Linux has them");
        Databases.Create(folder["app.db"], new DatabaseShape { Rows = 20 });
        folder.Folder("bin");
    }

    /// <summary>The home's path.</summary>
    public string Path => folder.Path;

    /// <summary>The full path of something in it.</summary>
    public string this[params string[] parts] => folder[parts];

    /// <summary>The calls of the stand-ins so far, without those that only ask.</summary>
    public IReadOnlyList<string> Calls => File.Exists(folder["bin", "calls.txt"])
        ? [.. File.ReadLines(folder["bin", "calls.txt"]).Where(
            call => !call.Contains("/Query", StringComparison.Ordinal) && !call.Contains("is-enabled", StringComparison.Ordinal)
            && !call.Contains("show-environment", StringComparison.Ordinal) && !call.Contains("launchctl print", StringComparison.Ordinal))]
        : [];

    /// <summary>Puts a stand-in on the PATH of the processes here.</summary>
    public void Install(string name, string body) => FakeSchedulers.Install(folder["bin"], name, body);

    /// <summary>Runs a script in the host and waits for its end.</summary>
    public ToolResult Run(string script)
    {
        using var process = Start("-Command", script);
        return Finish(process, script);
    }

    /// <summary>Starts the host.</summary>
    public Process Start(params string[] arguments) => StartProgram(BuiltModule.Host, arguments);

    /// <summary>Starts another program in this home.</summary>
    public Process StartProgram(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder.Path,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in Variables)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    /// <summary>Waits for the end of a process, and returns its output.</summary>
    public static ToolResult Finish(Process process, string name)
    {
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(Hang))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException(name);
        }

        return new ToolResult(name, process.ExitCode, output.Result, error.Result);
    }

    /// <inheritdoc/>
    public void Dispose() => folder.Dispose();

    private IEnumerable<(string Name, string Value)> Variables =>
    [
        ("HOME", folder.Path),
        ("XDG_CONFIG_HOME", folder["config"]),
        ("XDG_STATE_HOME", folder["state"]),
        ("PATH", string.Join(System.IO.Path.PathSeparator, folder["bin"], System.IO.Path.GetDirectoryName(BuiltModule.Host), "/usr/bin", "/bin", "/usr/sbin")),
        ("SHBACKUP_MODULE_PATH", BuiltModule.Manifest),
    ];
}
