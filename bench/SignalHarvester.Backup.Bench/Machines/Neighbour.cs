using System.Diagnostics;
using System.Globalization;

namespace SignalHarvester.Backup.Bench.Machines;

/// <summary>A tool that works in a process of its own beside an application until it is stopped, looked at from outside.</summary>
internal sealed class Neighbour : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly Process process;
    private readonly string log;

    /// <summary>Starts it.</summary>
    /// <param name="command">The tool.</param>
    /// <param name="log">Where its output goes; nobody reads it meanwhile.</param>
    public Neighbour(Command command, string log)
    {
        this.log = log;
        var words = string.Join(' ', command.Arguments.Prepend(command.Program).Select(Command.Quote));
        process = (Command.Shell($"exec {words} > {Command.Quote(log)} 2>&1") with { Variables = command.Variables }).Start();
    }

    /// <summary>Seconds of processor time so far, user and kernel.</summary>
    public double Cpu => Look().TotalProcessorTime.TotalSeconds;

    /// <summary>Bytes in memory.</summary>
    public long Memory => Look().WorkingSet64;

    /// <summary>The most bytes in memory so far.</summary>
    public long PeakMemory => Look().PeakWorkingSet64;

    /// <summary>Open files.</summary>
    public int Files => Directory.GetFiles($"/proc/{process.Id}/fd").Length;

    /// <summary>Waits until a condition holds.</summary>
    /// <exception cref="BenchException">The process ended before, or it takes minutes.</exception>
    public void WaitUntil(Func<bool> isReady)
    {
        for (var watch = Stopwatch.StartNew(); !isReady(); Thread.Sleep(Pause))
        {
            if (process.HasExited || watch.Elapsed > Limit)
            {
                throw new BenchException($"{(process.HasExited ? "ended" : "not ready")}: {Said()}");
            }
        }
    }

    /// <summary>Stops it as a service manager does, and waits for its end.</summary>
    /// <returns>The exit code, which is 143 for a tool that first cleans up and then lets the signal take its course.</returns>
    /// <exception cref="BenchException">It did not end.</exception>
    public int Stop()
    {
        new Command("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]).Run();
        return process.WaitForExit(Limit) ? process.ExitCode : throw new BenchException($"not stopped: {Said()}");
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }

        process.Dispose();
    }

    private Process Look()
    {
        process.Refresh();
        return process;
    }

    private string Said()
    {
        var text = File.ReadAllText(log);
        return text.Length <= 400 ? text : text[^400..];
    }
}
