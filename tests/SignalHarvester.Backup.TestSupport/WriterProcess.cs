using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace SignalHarvester.Backup.TestSupport;

/// <summary>A process of its own that commits to a database as fast as it can, until stopped or killed.</summary>
public sealed class WriterProcess : IDisposable
{
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(3);

    private readonly Process process;
    private readonly Task<string> error;

    private WriterProcess(Process process, WriterOptions options)
    {
        this.process = process;
        error = process.StandardError.ReadToEndAsync();
        Options = options;
    }

    public WriterOptions Options { get; }

    /// <summary>The process's id.</summary>
    public int Id => process.Id;

    /// <summary>
    /// The number of commits that are certainly done at this moment. A backup that starts later has at least these.
    /// </summary>
    public long CommittedAtLeast => Math.Max(0, CommittedAtMost - 1);

    /// <summary>
    /// The number of commits that are done, or about to be done, at this moment. A backup that ended before has at most these.
    /// </summary>
    public long CommittedAtMost => CommitJournal.Count(Options.CommitJournalPath);

    /// <summary>Starts the writer and returns when each of its connections has committed once.</summary>
    public static WriterProcess Start(WriterOptions options)
    {
        var start = new ProcessStartInfo(
            DotnetPath(), ["exec", Path.Combine(AppContext.BaseDirectory, "SignalHarvester.Backup.Writer.dll"), .. options.ToArguments()])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        var process = Process.Start(start) ?? throw new InvalidOperationException("The writer did not start.");
        var writer = new WriterProcess(process, options);
        if (process.StandardOutput.ReadLine() != "ready")
        {
            using (writer)
            {
                throw writer.Failure("did not get ready");
            }
        }

        return writer;
    }

    /// <summary>Returns when the writer has committed this many more transactions.</summary>
    /// <exception cref="InvalidOperationException">The writer ended earlier.</exception>
    public void WaitForCommits(long more)
    {
        var wanted = CommittedAtMost + more;
        while (CommittedAtLeast < wanted)
        {
            if (process.WaitForExit(milliseconds: 5))
            {
                throw Failure("ended early");
            }
        }
    }

    /// <summary>Lets the writer finish its last commits and close its connections.</summary>
    public WriterReport Stop()
    {
        process.StandardInput.Close();
        return WaitForEnd();
    }

    /// <summary>Waits for a writer that was given a <see cref="WriterOptions.Duration"/>.</summary>
    public WriterReport WaitForEnd()
    {
        var report = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(Hang))
        {
            throw Failure(string.Create(CultureInfo.InvariantCulture, $"did not end within {Hang}"));
        }

        return process.ExitCode == 0
            ? WriterReport.FromLine(report.GetAwaiter().GetResult())
            : throw Failure("failed");
    }

    /// <summary>Ends the process at once, whatever it is doing.</summary>
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

    private InvalidOperationException Failure(string what)
    {
        Kill();
        return new InvalidOperationException($"The writer {what}.\n{error.GetAwaiter().GetResult()}");
    }

    // The runtime of the tests, whether it is on PATH or not.
    private static string DotnetPath() => Path.GetFullPath(Path.Combine(
        RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));
}
