using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace SignalHarvester.Backup.TestSupport;

/// <summary>A process of its own that commits to a database as fast as it can, until stopped or killed.</summary>
public sealed class WriterProcess : IDisposable
{
    private static readonly TimeSpan s_hang = TimeSpan.FromMinutes(3);

    private readonly Process _process;
    private readonly Task<string> _error;

    private WriterProcess(Process process, WriterOptions options)
    {
        _process = process;
        _error = process.StandardError.ReadToEndAsync();
        Options = options;
    }

    public WriterOptions Options { get; }

    /// <summary>The process's id.</summary>
    public int Id => _process.Id;

    /// <summary>
    /// Commits done for certain at this moment. A backup that starts later holds at least these.
    /// </summary>
    public long CommittedAtLeast => Math.Max(0, CommittedAtMost - 1);

    /// <summary>
    /// Commits done or about to be done at this moment. A backup that ended before holds at most these.
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
        Process process = Process.Start(start) ?? throw new InvalidOperationException("The writer did not start.");
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
    /// <exception cref="InvalidOperationException">The writer ended before.</exception>
    public void WaitForCommits(long more)
    {
        long wanted = CommittedAtMost + more;
        while (CommittedAtLeast < wanted)
        {
            if (_process.WaitForExit(milliseconds: 5))
            {
                throw Failure("ended early");
            }
        }
    }

    /// <summary>Lets the writer finish its last commits and close its connections.</summary>
    public WriterReport Stop()
    {
        _process.StandardInput.Close();
        return WaitForEnd();
    }

    /// <summary>Waits for a writer that was given a <see cref="WriterOptions.Duration"/>.</summary>
    public WriterReport WaitForEnd()
    {
        Task<string> report = _process.StandardOutput.ReadToEndAsync();
        if (!_process.WaitForExit(s_hang))
        {
            throw Failure(string.Create(CultureInfo.InvariantCulture, $"did not end within {s_hang}"));
        }

        return _process.ExitCode == 0
            ? WriterReport.FromLine(report.GetAwaiter().GetResult())
            : throw Failure("failed");
    }

    /// <summary>Ends the process at once, in the middle of whatever it does.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Kill();
        }

        _process.Dispose();
    }

    private InvalidOperationException Failure(string what)
    {
        Kill();
        return new InvalidOperationException($"The writer {what}.\n{_error.GetAwaiter().GetResult()}");
    }

    // The runtime that runs the tests, whether or not PATH knows it.
    private static string DotnetPath() => Path.GetFullPath(Path.Combine(
        RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));
}
