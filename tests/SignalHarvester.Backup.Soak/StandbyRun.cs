using System.Diagnostics;

namespace SignalHarvester.Backup.Soak;

/// <summary>
/// Two machines' worth of processes on one store: the one has the database, its writers and its protection, the other a standby and a reader. All of
/// them are killed now and then. When nothing moves, both must have the same bytes; when the standby is promoted, it must have what was reported as
/// stored, and the former primary must be fenced. Then it is the primary, and the former one its standby.
/// </summary>
internal sealed class StandbyRun(SoakOptions options, Tally tally)
{
    private const int MostSpans = 4;

    private static readonly TimeSpan LongestSpan = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan BetweenReports = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan BetweenReads = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestDisturbed = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly long start = Stopwatch.GetTimestamp();
    private readonly Random random = new(options.Seed);
    private readonly string database = Path.Combine(options.Work, "app.db");
    private readonly string standby = Path.Combine(options.Work, "standby.db");
    private TimeSpan nextReport = BetweenReports;

    private bool IsOver => Stopwatch.GetElapsedTime(start) >= TimeSpan.FromMinutes(options.Minutes) || tally.Problems.Count > 0;

    private ApplicationOptions First => new()
    {
        DatabasePath = database,
        Seed = random.Next(),
        Pragmas = ["auto_vacuum = INCREMENTAL", "journal_mode = WAL"],
    };

    public async Task RunAsync()
    {
        using var reader = await Application.StartAsync(First);
        _ = (await reader.CloseAsync()).Value;
        await using var store = await SoakStore.StartAsync(options.Store, options.Work, tally);
        using var stop = new CancellationTokenSource();
        var disturbing = store.DisturbAsync(new Random(random.Next()), stop.Token);
        for (var turn = 0; !IsOver; turn++)
        {
            await using var primary = new ModuleProtection(database, options, tally, store, $"backups{turn}", takesOver: turn > 0);
            await primary.StartAsync();

            // Faults wait in line for those who wait longer and longer.
            store.Heal();
            _ = await primary.AwaitStoredAsync();
            store.GoOn();
            using var follower = new StandbyProcess(database, standby, store, tally, replaces: File.Exists(standby));
            follower.Start();
            await TakeTurnAsync(primary, follower, store, reader);
        }

        await stop.CancelAsync();
        await disturbing;
    }

    /// <summary>Lets one machine be the primary for a while, and the other one take its place at the end.</summary>
    private async Task TakeTurnAsync(ModuleProtection primary, StandbyProcess follower, SoakStore store, Application reader)
    {
        using var stop = new CancellationTokenSource();
        using var gate = new SemaphoreSlim(options.Writers);
        var first = First;
        SoakWriter[] writers = [.. Enumerable.Range(0, options.Writers).Select(i => new SoakWriter(
            first, new Random(random.Next()), tally, gate, options.HasOld && i == 0, options.TearsIndex))];
        Task[] running = [.. writers.Select(writer => writer.RunAsync(stop.Token))];
        try
        {
            for (var span = random.Next(1, MostSpans); span > 0 && !IsOver; span--)
            {
                await DisturbAsync(primary, follower, writers, random.NextDouble() * LongestSpan);
                await PauseAsync(gate);
                await RequireSameAsync(primary, store, reader);
                gate.Release(options.Writers);
            }

            if (!IsOver)
            {
                await FailOverAsync(primary, follower, store, reader, gate);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(running);
        }

        if (!IsOver)
        {
            Swap();
        }
    }

    /// <summary>Kills one process or another, while somebody reads the standby.</summary>
    private async Task DisturbAsync(ModuleProtection primary, StandbyProcess follower, SoakWriter[] writers, TimeSpan span)
    {
        using var end = new CancellationTokenSource();
        var reading = ReadAsync(follower, end.Token);
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < span && tally.Problems.Count == 0;)
        {
            await Task.Delay(TimeSpan.FromSeconds(random.NextDouble() * 2 * Math.Max(options.KillAfter, 0.5)));
            switch (options.KillAfter > 0 ? random.Next(6) : -1)
            {
                case 0:
                    primary.Kill();
                    tally.Add("kills of the follower");
                    await Task.Delay(random.Next(500));
                    await primary.StartAsync();
                    break;
                case 1:
                    await follower.KillAsync();
                    await Task.Delay(random.Next(500));
                    follower.Start();
                    break;
                case >= 2:
                    writers[random.Next(writers.Length)].Kill();
                    break;
            }
        }

        await end.CancelAsync();
        await reading;
        if (Stopwatch.GetElapsedTime(start) is var now && now >= nextReport)
        {
            nextReport = now + BetweenReports;
            tally.Say();
        }
    }

    /// <summary>Reads one snapshot of the standby after another: each is a whole one, and none is older than the one before.</summary>
    private async Task ReadAsync(StandbyProcess follower, CancellationToken end)
    {
        using var reader = await Application.StartAsync(First with { OpensAtStart = false });
        for (var before = 0; !end.IsCancellationRequested && tally.Problems.Count == 0;)
        {
            // A reader would make a file that is not there.
            if (follower.IsKept && File.Exists(standby))
            {
                var report = await reader.CheckAsync(standby);
                tally.Add("snapshots of the standby");
                foreach (var problem in report.Problems)
                {
                    tally.Problem("a snapshot of the standby: " + problem);
                }

                if (report.Transactions < before)
                {
                    tally.Problem($"the standby went back from transaction {before} to {report.Transactions}");
                }

                before = report.Transactions;
            }

            await Task.Delay(BetweenReads, CancellationToken.None);
        }
    }

    private async Task PauseAsync(SemaphoreSlim gate)
    {
        for (var i = 0; i < options.Writers; i++)
        {
            await gate.WaitAsync();
        }
    }

    /// <summary>Requires that the standby gets to where the primary stands, byte for byte.</summary>
    private async Task RequireSameAsync(ModuleProtection primary, SoakStore store, Application reader)
    {
        store.Heal();
        if (await primary.AwaitStoredAsync())
        {
            await primary.RequireNewestAsync(reader);
            var expected = await BackUpAsync(database, store);
            var began = Stopwatch.GetTimestamp();
            while (File.Exists(standby) is var isThere && (!isThere || await BackUpAsync(standby, store) != expected) && tally.Problems.Count == 0)
            {
                if (Stopwatch.GetElapsedTime(began) > Patience)
                {
                    tally.Problem("the standby does not become what the primary is");
                }

                await Task.Delay(BetweenReads);
            }

            tally.Add("standby byte for byte the primary");
        }

        store.GoOn();
    }

    private async Task FailOverAsync(ModuleProtection primary, StandbyProcess follower, SoakStore store, Application reader, SemaphoreSlim gate)
    {
        await PauseAsync(gate);
        store.Heal();
        _ = await primary.AwaitStoredAsync();
        var reported = (await reader.CheckAsync(database)).Transactions;
        store.GoOn();
        gate.Release(options.Writers);
        await Task.Delay(random.Next(2000));

        // The machine dies and comes back later, or is only cut off from its users.
        var dies = random.Next(2) == 0;
        if (dies)
        {
            primary.Kill();
        }

        await (random.Next(2) == 0 ? follower.StopAsync() : follower.KillAsync());
        await PromoteAsync(store);
        tally.Add(dies ? "promotions after the primary has died" : "promotions while the primary is there");
        if (dies)
        {
            await primary.StartAsync();
        }

        await primary.AwaitFencedAsync();
        await PauseAsync(gate);
        var journal = TransactionRecord.Read(ApplicationOptions.JournalOf(database));
        var report = await reader.CheckAsync(standby);
        foreach (var problem in report.ProblemsBeside(journal))
        {
            tally.Problem("the promoted standby: " + problem);
        }

        if (report.Transactions < reported)
        {
            tally.Problem($"the promoted standby has {report.Transactions} transactions, and {reported} were reported as stored");
        }

        // What the former primary had beyond that is in no future of the new one.
        TransactionRecord.Truncate(ApplicationOptions.JournalOf(database), report.Transactions);
        gate.Release(options.Writers);
    }

    private async Task PromoteAsync(SoakStore store)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            var promoting = Shell.RunAsync(
                $"Restore-SHBackup -Promote -Database {Shell.Quote(database)} -Destination {Shell.Quote(standby)} {store.DisturbedSourceParameters} -Force -ErrorAction Stop -WarningAction Ignore",
                store.Environment);
            if (await Task.WhenAny(promoting, Task.Delay(LongestDisturbed)) != promoting)
            {
                // Faults wait in line for those who wait longer and longer.
                store.Heal();
            }

            var (code, _, said) = await promoting;
            store.GoOn();
            if (code == 0)
            {
                return;
            }

            if (Stopwatch.GetElapsedTime(began) > Patience || SoakStore.FaultIn(said) is null)
            {
                tally.Problem("Restore-SHBackup -Promote: " + said);
                return;
            }

            tally.Add("promotions that were tried again");
        }
    }

    /// <summary>Puts the promoted file where the application expects it, and what was there on the other machine, or away.</summary>
    private void Swap()
    {
        foreach (var path in (string[])[database, standby])
        {
            Tool.Require("sqlite3").Run(path, "PRAGMA wal_checkpoint(TRUNCATE)").EnsureSuccess();
            File.Delete(path + "-wal");
            File.Delete(path + "-shm");
        }

        var former = standby + ".former";
        File.Move(database, former);
        File.Move(standby, database);
        if (random.Next(2) == 0)
        {
            File.Move(former, standby);
            tally.Add("former primaries as standbys");
        }
        else
        {
            File.Delete(former);
        }
    }

    private async Task<string> BackUpAsync(string path, SoakStore store)
    {
        var (code, output, said) = await Shell.RunAsync(
            $"(New-SHBackup {Shell.Quote(path)} -BackupDirectory {Shell.Quote(path + ".backups")} -NoVerify -ErrorAction Stop -WarningAction Ignore).Checksum",
            store.Environment);
        if (code != 0)
        {
            tally.Problem($"New-SHBackup {path}: {said}");
        }

        return output.Trim();
    }
}
