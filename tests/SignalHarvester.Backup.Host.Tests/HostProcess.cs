using System.Diagnostics;
using System.Reflection;
using System.Text;

namespace SignalHarvester.Backup.Host.Tests;

/// <summary>The built shbackup as a child process, with the probe module instead of ours.</summary>
internal sealed class HostProcess : IDisposable
{
    private const string EndOfTerminal = "\u001eend\u001e";

    private static readonly TimeSpan HangLimit = TimeSpan.FromSeconds(60);

    private readonly Process process;
    private readonly bool onTerminal;
    private readonly StringBuilder seen = new();

    private HostProcess(ProcessStartInfo start, bool onTerminal)
    {
        process = Process.Start(start)!;
        this.onTerminal = onTerminal;
    }

    public static string Executable { get; } =
        Path.GetFullPath(Path.Combine(
            typeof(HostProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "HostOutput").Value!,
            OperatingSystem.IsWindows() ? "shbackup.exe" : "shbackup"));

    public static string ProbeModule { get; } = Path.Combine(AppContext.BaseDirectory, "ProbeModule", "Probe.psd1");

    public int Id => process.Id;

    public StreamWriter Input => process.StandardInput;

    /// <summary>Types keys.</summary>
    public async Task TypeAsync(string keys)
    {
        await this.Input.WriteAsync(keys);
        await this.Input.FlushAsync();
    }

    /// <summary>Runs to the end with nothing on standard input.</summary>
    public static Task<RunResult> RunAsync(params string[] arguments) => RunWithAsync(string.Empty, [], arguments);

    public static async Task<RunResult> RunWithAsync(string input, Dictionary<string, string> variables, params string[] arguments)
    {
        using var host = Launch(Executable, variables, onTerminal: false, arguments);
        await host.Input.WriteAsync(input);
        host.Input.Close();
        return await host.FinishAsync();
    }

    public static HostProcess Start(params string[] arguments) => Launch(Executable, [], onTerminal: false, arguments);

    /// <summary>Starts it on a pseudo terminal of its own; skips the test if there is none.</summary>
    /// <remarks>
    /// script stops reading 10 ms after its child has ended, and on a slower machine the last lines are lost. So the shell around
    /// shbackup says that it is done, and stays until that has arrived here.
    /// </remarks>
    public static HostProcess StartOnTerminal(Dictionary<string, string> variables, string command)
    {
        const string Script = "/usr/bin/script";
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists(Script), "needs script (util-linux) to make a pseudo terminal");
        var quoted = command.Replace("'", "'\\''", StringComparison.Ordinal);
        var shell = $"""
            trap : INT; stty cols 200 rows 50; '{Executable}' -Command '{quoted}'; code=$?
            stty -echo; printf '\036end\036'; read -r _; exit $code
            """;
        return Launch(Script, new(variables) { ["TERM"] = "xterm-256color" }, onTerminal: true, "-qec", shell, "/dev/null");
    }

    /// <summary>Reads standard output until it contains the text, and returns all so far.</summary>
    public async Task<string> WaitForAsync(string text)
    {
        using CancellationTokenSource hang = new(HangLimit);
        var buffer = new char[4096];
        while (!seen.ToString().Contains(text, StringComparison.Ordinal))
        {
            var count = await process.StandardOutput.ReadAsync(buffer, hang.Token);
            Assert.True(count > 0, $"'{text}' did not come, but: {seen}");
            seen.Append(buffer, 0, count);
            await this.AnswerAsync(new string(buffer, 0, count));
        }

        return seen.ToString();
    }

    public async Task<RunResult> FinishAsync()
    {
        if (onTerminal)
        {
            await WaitForAsync(EndOfTerminal);
            await TypeAsync("\n");
        }

        using CancellationTokenSource hang = new(HangLimit);
        var output = process.StandardOutput.ReadToEndAsync(hang.Token);
        var error = process.StandardError.ReadToEndAsync(hang.Token);
        await process.WaitForExitAsync(hang.Token);
        return new RunResult(process.ExitCode, (seen + await output).Replace(EndOfTerminal, string.Empty, StringComparison.Ordinal), await error);
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
        }

        process.Dispose();
    }

    // PowerShell asks the terminal for the position of the cursor before it reads a line.
    private async Task AnswerAsync(string output)
    {
        for (var asked = output.Split("\x1b[6n").Length - 1; onTerminal && asked > 0; asked--)
        {
            await this.TypeAsync("\x1b[1;1R");
        }
    }

    private static HostProcess Launch(string program, Dictionary<string, string> variables, bool onTerminal, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
        };
        start.Environment.Remove("NO_COLOR");
        start.Environment["SHBACKUP_MODULE_PATH"] = ProbeModule;
        foreach ((var name, var value) in variables)
        {
            start.Environment[name] = value;
        }

        return new HostProcess(start, onTerminal);
    }
}
