using System.Diagnostics;
using SignalHarvester.Backup.TestSupport;

// It says "ready" when every connection has committed once, stops when standard input is closed, and then reports.
var options = WriterOptions.Parse(args);
using (var connection = Ledger.Open(options))
{
    Ledger.EnsureCreated(connection, options);
}

using var commits = new CommitJournal(options.CommitJournalPath);
using var stop = new CancellationTokenSource();
if (options.Duration is { } duration)
{
    stop.CancelAfter(duration);
}

var untilClosed = new Thread(() =>
{
    Console.In.ReadToEnd();
    stop.Cancel();
});
untilClosed.IsBackground = true;
untilClosed.Start();

using var ready = new CountdownEvent(options.Threads);
var start = Stopwatch.GetTimestamp();
Task<List<long>>[] writers = [.. Enumerable.Range(0, options.Threads)
    .Select(_ => Task.Factory.StartNew(Write, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];

// Whichever is first: a writer that fails ends the program with its error, instead of an endless wait.
await await Task.WhenAny([Task.Run(ready.Wait), .. writers]);
Console.WriteLine("ready");
await await Task.WhenAny(writers);

long[] latencies = [.. (await Task.WhenAll(writers)).SelectMany(ticks => ticks).Order()];
Console.WriteLine(new WriterReport(
    latencies.Length,
    Stopwatch.GetElapsedTime(start).TotalSeconds,
    Milliseconds(0.5),
    Milliseconds(0.99),
    Milliseconds(1)).ToLine());
return 0;

List<long> Write()
{
    using var writer = new LedgerWriter(options, commits);
    writer.Commit();
    ready.Signal();
    while (!stop.IsCancellationRequested)
    {
        writer.Commit();
    }

    return writer.Latencies;
}

double Milliseconds(double quantile) =>
    latencies[(int)Math.Ceiling(quantile * latencies.Length) - 1] * 1000.0 / Stopwatch.Frequency;
