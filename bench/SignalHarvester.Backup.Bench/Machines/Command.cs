using System.Diagnostics;
using System.Globalization;

namespace SignalHarvester.Backup.Bench.Machines;

/// <summary>
/// A child process that is run and measured. Lines of its output in the form <c>bench:name=value</c> are its own numbers:
/// <c>inside</c>, <c>from</c> and <c>to</c> become the properties of <see cref="Sample"/> with those names, the others are
/// reported unchanged.
/// </summary>
internal sealed record Command(string Program, IReadOnlyList<string> Arguments)
{
    private const string Prefix = "bench:";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    /// <summary>Variables for the child, in addition to the bench's own.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>();

    /// <summary>A script for the POSIX shell; it stops at the first command that fails.</summary>
    public static Command Shell(string script) => new("sh", ["-ec", script]);

    /// <summary>A verb of this program, as a fresh process.</summary>
    public static Command Self(params string[] arguments) =>
        new("dotnet", [typeof(Command).Assembly.Location, .. arguments]);

    /// <summary>The text as one word for the POSIX shell.</summary>
    public static string Quote(string text) => $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    /// <summary>Writes a number for <see cref="Run"/> of the parent process.</summary>
    public static void Report(string name, double value) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Prefix}{name}={value:R}"));

    /// <summary>Runs it to its end and measures.</summary>
    /// <exception cref="BenchException">Its exit code was not 0, or it hung.</exception>
    public Sample Run()
    {
        var usageFile = Tools.HasGnuTime ? Path.GetTempFileName() : null;
        try
        {
            var from = Stopwatch.GetTimestamp();
            using var process = Process.Start(StartInfo(usageFile))
                ?? throw new BenchException($"'{Program}' did not start.");
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEndAsync();
            if (!process.WaitForExit(Limit))
            {
                process.Kill(entireProcessTree: true);
                throw new BenchException($"still running after {Limit.TotalMinutes} minutes; ended.");
            }

            var to = Stopwatch.GetTimestamp();
            Task.WaitAll(output, errors);

            if (process.ExitCode != 0)
            {
                throw new BenchException(
                    $"exit code {process.ExitCode}: {Shorten(errors.Result.Length > 0 ? errors.Result : output.Result)}");
            }

            var whole = new Sample(Stopwatch.GetElapsedTime(from, to).TotalSeconds) { From = from, To = to };
            return WithUsage(WithReports(whole, output.Result), usageFile);
        }
        finally
        {
            if (usageFile is not null)
            {
                File.Delete(usageFile);
            }
        }
    }

    /// <summary>Starts it unmeasured, for a process that runs beside the contestants. Its standard error is the bench's own.</summary>
    public Process Start()
    {
        var start = StartInfo(usageFile: null);
        start.RedirectStandardError = false;
        return Process.Start(start) ?? throw new BenchException($"'{Program}' did not start.");
    }

    private ProcessStartInfo StartInfo(string? usageFile)
    {
        // GNU time forks once more, so the peak is the command's own and not inherited from this process.
        IEnumerable<string> words = usageFile is null
            ? [Program, .. Arguments]
            : [Tools.GnuTime, "-o", usageFile, "-f", "%U %S %M", Program, .. Arguments];
        var start = new ProcessStartInfo(words.First(), words.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((var name, var value) in Variables)
        {
            start.Environment[name] = value;
        }

        return start;
    }

    private static Sample WithReports(Sample sample, string output)
    {
        var reported = new Dictionary<string, double>();
        foreach (var line in output.Split('\n', StringSplitOptions.TrimEntries))
        {
            var equals = line.LastIndexOf('=');
            if (line.StartsWith(Prefix, StringComparison.Ordinal) && equals > 0)
            {
                reported[line[Prefix.Length..equals]] =
                    double.Parse(line.AsSpan(equals + 1), CultureInfo.InvariantCulture);
            }
        }

        return sample with
        {
            Inside = Take("inside"),
            From = (long)(Take("from") ?? sample.From),
            To = (long)(Take("to") ?? sample.To),
            Reported = reported,
        };

        double? Take(string name) => reported.Remove(name, out var value) ? value : null;
    }

    private static Sample WithUsage(Sample sample, string? usageFile)
    {
        if (usageFile is null)
        {
            return sample;
        }

        var words = File.ReadAllLines(usageFile)[^1].Split(' ');
        return sample with
        {
            User = double.Parse(words[0], CultureInfo.InvariantCulture),
            Kernel = double.Parse(words[1], CultureInfo.InvariantCulture),
            PeakMemory = long.Parse(words[2], CultureInfo.InvariantCulture) * 1024,
        };
    }

    private static string Shorten(string text)
    {
        var line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return line.Length <= 400 ? line : line[..400] + " ...";
    }
}
