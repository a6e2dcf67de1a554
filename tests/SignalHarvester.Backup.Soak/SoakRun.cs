using System.Diagnostics;

namespace SignalHarvester.Backup.Soak;

/// <summary>One run: applications at work, somebody who follows, kills, and comparisons.</summary>
internal sealed class SoakRun(SoakOptions options, Tally tally)
{
    private static readonly TimeSpan BetweenChecks = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BetweenReports = TimeSpan.FromSeconds(30);

    private readonly Random random = new(options.Seed);
    private readonly string database = Path.Combine(options.Work, "app.db");

    public async Task RunAsync()
    {
        var first = new ApplicationOptions
        {
            DatabasePath = database,
            Seed = random.Next(),
            Pragmas = ["auto_vacuum = INCREMENTAL", "journal_mode = WAL"],
        };
        using var reader = await Application.StartAsync(first);
        _ = (await reader.CloseAsync()).Value;
        await using var protection = Protection();
        await protection.StartAsync();
        using var stop = new CancellationTokenSource();
        using var gate = new SemaphoreSlim(options.Writers);
        SoakWriter[] writers = [.. Enumerable.Range(0, options.Writers).Select(i => new SoakWriter(
            first, new Random(random.Next()), tally, gate, options.HasOld && i == 0, options.TearsIndex))];
        Task[] running = [.. writers.Select(writer => writer.RunAsync(stop.Token))];
        await ConductAsync(protection, writers, running, reader, gate);
        await stop.CancelAsync();
        await Task.WhenAll(running);
        await protection.CheckAsync(reader, TransactionRecord.Read(first.JournalPath), isEnd: true);
    }

    /// <summary>Kills and compares until the time is over, or something is wrong.</summary>
    private async Task ConductAsync(IProtection protection, SoakWriter[] writers, Task[] running, Application reader, SemaphoreSlim gate)
    {
        var start = Stopwatch.GetTimestamp();
        var nextCheck = BetweenChecks;
        var nextReport = BetweenReports;
        while (Stopwatch.GetElapsedTime(start) is var now && now < TimeSpan.FromMinutes(options.Minutes) && tally.Problems.Count == 0)
        {
            if (Array.Find(running, task => task.IsCompleted) is { } ended)
            {
                // A writer ends early with an error alone.
                await ended;
            }

            await Task.Delay(TimeSpan.FromSeconds(options.KillAfter > 0 ? random.NextDouble() * 2 * options.KillAfter : 1));
            if (options.KillAfter > 0)
            {
                await KillAsync(protection, writers);
            }

            if (now >= nextCheck)
            {
                nextCheck = now + BetweenChecks;
                await CheckAsync(protection, reader, gate);
            }

            if (now >= nextReport)
            {
                nextReport = now + BetweenReports;
                tally.Say();
            }
        }
    }

    private async Task KillAsync(IProtection protection, SoakWriter[] writers)
    {
        if (random.Next(4) > 0)
        {
            writers[random.Next(writers.Length)].Kill();
            return;
        }

        protection.Kill();
        tally.Add("kills of the follower");
        await Task.Delay(random.Next(1000));
        await protection.StartAsync();
    }

    private async Task CheckAsync(IProtection protection, Application reader, SemaphoreSlim gate)
    {
        for (var i = 0; i < options.Writers; i++)
        {
            await gate.WaitAsync();
        }

        await protection.CheckAsync(reader, TransactionRecord.Read(ApplicationOptions.JournalOf(database)), isEnd: false);
        gate.Release(options.Writers);
    }

    private IProtection Protection() => options.What switch
    {
        "holder" => new HolderProtection(database, options.Work, tally),
        "protection" => new ModuleProtection(database, options, tally),
        _ => new NoProtection(database, tally),
    };
}
