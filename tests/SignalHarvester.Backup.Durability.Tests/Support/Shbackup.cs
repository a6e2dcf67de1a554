using System.Diagnostics;

namespace SignalHarvester.Backup.Durability.Tests.Support;

/// <summary>
/// The built shbackup as a child process. Without a command it takes commands from standard input one by one, so one process can run
/// many, and a victim can be warm before its command is sent.
/// </summary>
internal sealed class Shbackup : IDisposable
{
    private const string End = "<<end>>";

    // PowerShell writes warnings to the output, where they would be among the answers.
    private const string Loop =
        "$WarningPreference = 'SilentlyContinue'; while ($null -ne ($line = [Console]::In.ReadLine())) { . ([scriptblock]::Create($line)) }";

    // For a hanging process, and never for a slow one: a machine may be busy with many other things.
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(5);

    private readonly Process process;
    private readonly Task<string> error;
    private Task? command;

    private Shbackup(ProcessStartInfo start)
    {
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        process = Process.Start(start) ?? throw new InvalidOperationException("shbackup did not start.");
        error = process.StandardError.ReadToEndAsync();
    }

    /// <summary>The path of the host that was built with these tests.</summary>
    public static string Executable { get; } = FindExecutable();

    public int Id => process.Id;

    /// <summary>Whether the sent command has ended.</summary>
    public bool IsIdle => command is null or { IsCompleted: true };

    /// <summary>Returns a text as a PowerShell literal.</summary>
    public static string Quote(string text) => "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";

    /// <summary>Returns the command, followed by its errors as lines of output: "ERROR id: message".</summary>
    public static string WithErrors(string command) =>
        command + "; $Error | ForEach-Object { \"ERROR $($_.FullyQualifiedErrorId): $_\" }; $Error.Clear()";

    /// <summary>Starts a process that waits for commands.</summary>
    public static Shbackup Start() => Start(Loop);

    /// <summary>Starts a process that runs a command and ends.</summary>
    public static Shbackup Start(string command) => new(new ProcessStartInfo(Executable, ["-Command", command]));

    /// <summary>Starts the same by another program: setpriv, prlimit ...</summary>
    public static Shbackup StartBy(string[] launcher, string command) =>
        new(new ProcessStartInfo(launcher[0], [.. launcher[1..], Executable, "-Command", command]));

    /// <summary>Starts, by another program, a process that waits for commands.</summary>
    public static Shbackup StartBy(string[] launcher) => StartBy(launcher, Loop);

    /// <summary>Runs a command in a process of its own.</summary>
    public static async Task<ToolResult> RunAsync(string command)
    {
        using var host = Start(command);
        return await host.FinishAsync();
    }

    /// <summary>Runs a command in a process of its own that another program starts.</summary>
    public static async Task<ToolResult> RunByAsync(string[] launcher, string command)
    {
        using var host = StartBy(launcher, command);
        return await host.FinishAsync();
    }

    /// <summary>Sends a command to a waiting process; the answer is its lines, then its errors.</summary>
    public Task<IReadOnlyList<string>> SendAsync(string command)
    {
        process.StandardInput.WriteLine($"{WithErrors(command)}; '{End}'");
        process.StandardInput.Flush();
        var answer = ReadAsync();
        this.command = answer;
        return answer;
    }

    /// <summary>Sends a command that must not report an error.</summary>
    public async Task<IReadOnlyList<string>> AskAsync(string command)
    {
        var lines = await SendAsync(command);
        Assert.DoesNotContain(lines, line => line.StartsWith("ERROR", StringComparison.Ordinal));
        return lines;
    }

    /// <summary>Sends a command that must report this error and no other.</summary>
    public async Task<string> AskForErrorAsync(string errorId, string command)
    {
        var lines = await SendAsync(command);
        var error = Assert.Single(lines, line => line.StartsWith("ERROR", StringComparison.Ordinal));
        Assert.StartsWith($"ERROR {errorId},", error, StringComparison.Ordinal);
        return error;
    }

    /// <summary>Kills the process, and waits until it is gone.</summary>
    public void Kill()
    {
        process.Kill();
        process.WaitForExit();
    }

    public void Signal(string name) =>
        Tool.Require("kill").Run("-" + name, process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)).EnsureSuccess();

    public async Task<ToolResult> FinishAsync()
    {
        using var hang = new CancellationTokenSource(Hang);
        process.StandardInput.Close();
        var output = await process.StandardOutput.ReadToEndAsync(hang.Token);
        await process.WaitForExitAsync(hang.Token);
        return new ToolResult("shbackup", process.ExitCode, output, await error);
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            Kill();
        }

        process.Dispose();
    }

    private async Task<IReadOnlyList<string>> ReadAsync()
    {
        using var hang = new CancellationTokenSource(Hang);
        List<string> lines = [];
        while (await process.StandardOutput.ReadLineAsync(hang.Token) is { } line)
        {
            if (line == End)
            {
                return lines;
            }

            lines.Add(line);
        }

        throw new EndOfStreamException("shbackup ended before its command did: " + string.Join('\n', lines));
    }

    private static string FindExecutable()
    {
        // .../tests/<project>/bin/<Configuration>/net10.0
        var output = new DirectoryInfo(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var root = output.Parent!.Parent!.Parent!.Parent!.Parent!.FullName;
        return Path.Combine(
            root, "src", "SignalHarvester.Backup.Host", "bin", output.Parent.Name, output.Name,
            OperatingSystem.IsWindows() ? "shbackup.exe" : "shbackup");
    }
}
