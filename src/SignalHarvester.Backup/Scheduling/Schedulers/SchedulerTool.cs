using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using SignalHarvester.Backup.Text;

namespace SignalHarvester.Backup.Scheduling.Schedulers;

/// <summary>Runs the operating system's own tools: systemctl, crontab, launchctl, schtasks.</summary>
internal static class SchedulerTool
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Whether a tool is on the PATH.</summary>
    public static bool IsThere(string name)
    {
        string[] files = OperatingSystem.IsWindows() ? [name + ".exe"] : [name];
        return (Environment.GetEnvironmentVariable("PATH") ?? string.Empty)
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Any(folder => Array.Exists(files, file => File.Exists(Path.Combine(folder, file))));
    }

    /// <summary>Runs a tool and returns its answer, whatever that is.</summary>
    /// <param name="command">The tool and its arguments.</param>
    /// <param name="input">Its standard input, as bytes.</param>
    /// <exception cref="BackupException">SchedulerUnavailable: it could not be started, or did not end.</exception>
    public static (int ExitCode, byte[] Output, string Error) Ask(IReadOnlyList<string> command, byte[]? input = null)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
            StandardErrorEncoding = Encoding.UTF8,
        };
        try
        {
            using var process = Process.Start(start)!;
            using var output = new MemoryStream();

            // Both pipes are read while it runs: a full one would block it.
            var reading = process.StandardOutput.BaseStream.CopyToAsync(output);
            var error = process.StandardError.ReadToEndAsync();
            Feed(process, input);
            if (!process.WaitForExit(Patience))
            {
                process.Kill(entireProcessTree: true);
                throw Unavailable(command, "it did not end within a minute", null);
            }

            Task.WaitAll(reading, error);
            return (process.ExitCode, output.ToArray(), error.Result.Trim());
        }
        catch (Win32Exception exception)
        {
            throw Unavailable(command, exception.Message.TrimEnd('.'), exception);
        }
    }

    /// <summary>Runs a tool that must succeed.</summary>
    /// <exception cref="BackupException">SchedulerUnavailable; SchedulerFailed, in the tool's own words.</exception>
    public static byte[] Run(IReadOnlyList<string> command, byte[]? input = null)
    {
        var (exitCode, output, error) = Ask(command, input);
        return exitCode == 0
            ? output
            : throw new BackupException(
                BackupErrorId.SchedulerFailed, command[0], SingleLine.Of(
                    $"'{string.Join(' ', command)}' ended with {exitCode.ToString(System.Globalization.CultureInfo.InvariantCulture)}: {(error.Length == 0 ? Encoding.UTF8.GetString(output).Trim() : error).TrimEnd('.')}. Check that this account may use it, or give another -Backend."));
    }

    private static void Feed(Process process, byte[]? input)
    {
        try
        {
            process.StandardInput.BaseStream.Write(input ?? []);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading; its exit code shows why.
        }
    }

    private static BackupException Unavailable(IReadOnlyList<string> command, string reason, Exception? inner) => new(
        BackupErrorId.SchedulerUnavailable, command[0], $"'{command[0]}' cannot be used: {reason}. Check that it is installed, or give another -Backend.",
        inner);
}
