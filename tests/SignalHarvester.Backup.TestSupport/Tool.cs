using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace SignalHarvester.Backup.TestSupport;

/// <summary>Another project's program (sqlite3, zstd, gunzip, age ...), run as a child process.</summary>
public sealed class Tool
{
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(3);

    private readonly string path;

    private Tool(string path) => this.path = path;

    /// <summary>Returns the reason to skip; null if the tool is installed.</summary>
    public static string? SkipReason(string name) =>
        Find(name) is null ? $"'{name}' is not installed (tests/run.sh installs it where it may)" : null;

    /// <summary>Returns the tool; skips the running test, visibly, if it is not installed.</summary>
    public static Tool Require(string name)
    {
        var path = Find(name);
        Assert.SkipWhen(path is null, SkipReason(name) ?? "");
        return new Tool(path!);
    }

    /// <summary>Returns the tool's path; null if no folder of PATH has it.</summary>
    public static string? Find(string name)
    {
        string[] endings = OperatingSystem.IsWindows() ? [".exe", ".cmd", ".bat"] : [""];
        return (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .SelectMany(folder => endings.Select(ending => Path.Combine(folder, name + ending)))
            .FirstOrDefault(File.Exists);
    }

    /// <summary>Runs the tool with an empty standard input and waits for its end.</summary>
    public ToolResult Run(params string[] arguments) => Run(arguments, input: null, outputFile: null);

    /// <summary>Runs the tool with a text as its standard input.</summary>
    public ToolResult RunWithInput(string input, params string[] arguments) => Run(arguments, input, outputFile: null);

    /// <summary>Runs the tool, and writes its standard output, as bytes, to a file.</summary>
    public ToolResult RunToFile(string outputFile, params string[] arguments) => Run(arguments, input: null, outputFile);

    private ToolResult Run(string[] arguments, string? input, string? outputFile)
    {
        var start = new ProcessStartInfo(path, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        using var process = Process.Start(start)
            ?? throw new InvalidOperationException($"{path} did not start.");

        // Both pipes are read while it runs: a full one would block it.
        var error = process.StandardError.ReadToEndAsync();
        var output = outputFile is null
            ? process.StandardOutput.ReadToEndAsync()
            : CopyAsync(process.StandardOutput.BaseStream, outputFile);
        process.StandardInput.Write(input);
        process.StandardInput.Close();

        var commandLine = string.Join(' ', [path, .. arguments]);
        if (!process.WaitForExit(Hang))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException(string.Create(
                CultureInfo.InvariantCulture, $"{commandLine} did not end within {Hang}."));
        }

        return new ToolResult(
            commandLine, process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }

    private static async Task<string> CopyAsync(Stream from, string file)
    {
        await using var to = File.Create(file);
        await from.CopyToAsync(to).ConfigureAwait(false);
        return "";
    }
}
