using System.Diagnostics;

namespace SignalHarvester.Backup.Soak;

/// <summary>One run: applications at work, somebody who follows, kills, and comparisons.</summary>
internal sealed class SoakRun(SoakOptions options, Tally tally) : IDisposable
{
    private static readonly TimeSpan BetweenChecks = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BetweenReports = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(75);

    private readonly long start = Stopwatch.GetTimestamp();
    private readonly Random random = new(options.Seed);
    private readonly SemaphoreSlim sparing = new(1);
    private readonly string database = Path.Combine(options.Work, "app.db");

    public void Dispose() => sparing.Dispose();

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
        var killing = KillAsync(protection, writers, stop.Token);
        await ConductAsync(protection, [.. running, killing], reader, gate);
        await stop.CancelAsync();
        await Task.WhenAll([.. running, killing]);
        await protection.CheckAsync(reader, TransactionRecord.Read(first.JournalPath), () => { }, isEnd: true);
    }

    /// <summary>Compares until the time is over, or something is wrong.</summary>
    private async Task ConductAsync(IProtection protection, Task[] running, Application reader, SemaphoreSlim gate)
    {
        var nextReport = BetweenReports;
        while (Stopwatch.GetElapsedTime(start) is var now && now < TimeSpan.FromMinutes(options.Minutes) && tally.Problems.Count == 0)
        {
            if (Array.Find(running, task => task.IsCompleted) is { } ended)
            {
                // A writer ends early with an error alone.
                await ended;
            }

            await Task.Delay(BetweenChecks);
            await CheckAsync(protection, reader, gate);
            if (now >= nextReport)
            {
                nextReport = now + BetweenReports;
                tally.Say();
            }
        }
    }

    private async Task KillAsync(IProtection protection, SoakWriter[] writers, CancellationToken stop)
    {
        try
        {
            while (!stop.IsCancellationRequested)
            {
                await Task.Delay(TimeSpan.FromSeconds(options.KillAfter > 0 ? random.NextDouble() * 2 * options.KillAfter : 1), stop);
                if (options.KillAfter > 0)
                {
                    await KillOneAsync(protection, writers, stop);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The soak is over.
        }
    }

    private async Task KillOneAsync(IProtection protection, SoakWriter[] writers, CancellationToken stop)
    {
        // Half of the time it lives long enough for backups between its transactions, and for a log that no kill has begun anew.
        if (random.Next(3) > 0 || Stopwatch.GetElapsedTime(start).Ticks % (2 * Calm.Ticks) < Calm.Ticks)
        {
            writers[random.Next(writers.Length)].Kill();
            return;
        }

        await sparing.WaitAsync(stop);
        try
        {
            protection.Kill();
            tally.Add("kills of the follower");
            await Task.Delay(random.Next(1000), CancellationToken.None);
            await protection.StartAsync();
        }
        finally
        {
            sparing.Release();
        }
    }

    private async Task CheckAsync(IProtection protection, Application reader, SemaphoreSlim gate)
    {
        await sparing.WaitAsync();
        for (var i = 0; i < options.Writers; i++)
        {
            await gate.WaitAsync();
        }

        var journal = TransactionRecord.Read(ApplicationOptions.JournalOf(database));
        await protection.CheckAsync(reader, journal, GoOn, isEnd: false);

        void GoOn()
        {
            gate.Release(options.Writers);
            sparing.Release();
        }
    }

    private IProtection Protection() => options.What switch
    {
        "holder" => new HolderProtection(database, options.Work, tally),
        "protection" => new ModuleProtection(database, options, tally),
        _ => new NoProtection(database, tally),
    };
}
