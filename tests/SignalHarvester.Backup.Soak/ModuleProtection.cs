using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace SignalHarvester.Backup.Soak;

/// <summary>
/// Start-SHBackupProtection, of which nothing is believed: whatever it reports as stored is restored from the store later, and held against
/// the journal and the database of then.
/// </summary>
/// <param name="database">The database.</param>
/// <param name="options">The command line.</param>
/// <param name="tally">Counts.</param>
/// <param name="shared">A store that is there already, and is disturbed by somebody else; null for one of its own.</param>
/// <param name="name">The name of its backup directory.</param>
/// <param name="takesOver">Whether its first start takes over the stream of another machine.</param>
internal sealed partial class ModuleProtection(
    string database, SoakOptions options, Tally tally, SoakStore? shared = null, string name = "backups", bool takesOver = false) : IProtection
{
    // Between a commit and the first look at it, on a machine that is busy with many things.
    private static readonly TimeSpan LatestLook = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LongestRestore = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan BeforeRestart = TimeSpan.FromSeconds(1);

    // Reasons for which a start may fail, besides the network: a database that is being replaced.
    private static readonly string[] Excuses = ["was taken away while its protection was starting", "There is no database", "is in journal mode"];

    private readonly bool isStoreOwn = shared is null;
    private readonly Random random = new(options.Seed);
    private readonly string backups = Path.Combine(options.Work, name);
    private readonly string restored = Path.Combine(options.Work, "restored.db");
    private readonly ConcurrentDictionary<long, int> ledgers = [];
    private readonly List<KnownImage> known = [];
    private readonly CancellationTokenSource ending = new();
    private readonly HashSet<MergedRange> merged = [];

    // One backup of ours at a time: a second one is refused, as it should be.
    private readonly SemaphoreSlim backingUp = new(1);
    private SoakStore? store = shared;
    private Task disturbing = Task.CompletedTask;
    private Task besides = Task.CompletedTask;
    private Process? process;
    private Task life = Task.CompletedTask;
    private volatile bool isMeantToEnd;
    private volatile bool isTakingOver = takesOver;

    private string Directory => $"-BackupDirectory {Shell.Quote(backups)}";

    public async Task StartAsync()
    {
        if (store is null)
        {
            store = await SoakStore.StartAsync(options.Store, options.Work, tally);
            disturbing = store.DisturbAsync(new Random(random.Next()), ending.Token);
            besides = BackUpBesidesAsync(new Random(random.Next()), ending.Token);
        }

        Start();
    }

    public void Kill()
    {
        isMeantToEnd = true;
        try
        {
            process!.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has just ended by itself.
        }

        life.GetAwaiter().GetResult();
    }

    public async Task EndAsync()
    {
        isMeantToEnd = true;
        Tool.Require("kill").Run("-TERM", process!.Id.ToString(CultureInfo.InvariantCulture)).EnsureSuccess();
        await life.WaitAsync(Patience);
    }

    public async Task CheckAsync(Application reader, IReadOnlyList<TransactionRecord> journal, Action goOn, bool isEnd)
    {
        if (isEnd)
        {
            // One that was started this moment would die of the signal, as nobody has asked for it yet.
            store!.Heal();
            _ = await AwaitStoredAsync();
            await EndAsync();
            if (File.Exists(database + "-wal"))
            {
                tally.Problem("the protection was the last, and left a log");
            }

            known.Add(new KnownImage(Status().Stored, ImageHash.Of(database), TransactionRecordRange.End(journal), DateTimeOffset.UtcNow));
        }
        else
        {
            store!.Heal();
            await NoteAsync(journal);
            store.GoOn();
            goOn();
        }

        await FindMergedAsync();
        var oldest = DateTimeOffset.UtcNow - options.Window + LongestRestore;
        _ = known.RemoveAll(image => image.Time < oldest);
        if (known.Count > 0)
        {
            await RestoreKnownAsync(reader, journal, isEnd ? known[^1] : known[random.Next(known.Count)]);
            if (known[0].Transaction < known[^1].Transaction)
            {
                var number = random.NextInt64(known[0].Transaction, known[^1].Transaction);
                _ = await RestoreAsync(reader, journal, $"-Transaction {number}", number, TransactionRecordRange.All(journal));
            }
        }

        if (journal.Where(record => record.Before >= oldest).ToList() is { Count: > 0 } recent)
        {
            var time = recent[random.Next(recent.Count)].Before + TimeSpan.FromMilliseconds(random.Next(2000));
            var expected = TransactionRecordRange.At(journal, time, LatestLook);
            _ = await RestoreAsync(
                reader, journal, $"-PointInTime '{time.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}'", null, expected);
        }

        if (isEnd)
        {
            _ = await RestoreAsync(reader, journal, "-PointInTime (Get-Date).AddDays(1)", null, TransactionRecordRange.End(journal));
            await RequireReportedAsync();
        }
    }

    /// <summary>Waits until everything is said to be stored.</summary>
    /// <returns>Whether it is.</returns>
    public async Task<bool> AwaitStoredAsync()
    {
        var began = Stopwatch.GetTimestamp();
        var since = DateTimeOffset.UtcNow.AddMilliseconds(100);
        while (Status() is var status && (status.State != "Following" || status.Seen != status.Stored || status.Look < since))
        {
            if (Stopwatch.GetElapsedTime(began) > Patience)
            {
                tally.Problem($"the protection does not store everything: {status}");
                return false;
            }

            await Task.Delay(50);
        }

        // The stream is its own now, and the next start only goes on.
        isTakingOver = false;
        return true;
    }

    /// <summary>Waits until it has ended because another machine writes the stream.</summary>
    public async Task AwaitFencedAsync()
    {
        isMeantToEnd = true;
        var began = Stopwatch.GetTimestamp();
        while (!life.IsCompleted && Stopwatch.GetElapsedTime(began) < Patience)
        {
            await Task.Delay(50);
        }

        // At its next segment, or at its start.
        if (!life.IsCompleted || Status().ErrorId is not (BackupErrorId.StreamFenced or BackupErrorId.StreamNotOurs))
        {
            tally.Problem($"the former primary goes on beside the promoted one: {Status()}");
        }
    }

    /// <summary>Stops it orderly, once it protects.</summary>
    public async Task StopAsync()
    {
        if (await AwaitStoredAsync())
        {
            await EndAsync();
        }
    }

    /// <summary>Requires that the end of the stream is the database. Nobody may change it meanwhile.</summary>
    public async Task RequireNewestAsync(Application reader)
    {
        known.Clear();
        await NoteAsync([]);
        if (known is [var newest])
        {
            await RestoreKnownAsync(reader, null, newest);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!life.IsCompleted)
        {
            Kill();
        }

        await ending.CancelAsync();
        await disturbing;
        await besides;
        if (isStoreOwn && store is not null)
        {
            await store.DisposeAsync();
        }

        ending.Dispose();
        backingUp.Dispose();
    }

    private void Start()
    {
        isMeantToEnd = false;
        process = Shell.Start(
            $"Start-SHBackupProtection {Shell.Quote(database)} -ThisProcess {Directory} {store!.Parameters} -CreateContainer{(isTakingOver ? " -TakeOver" : "")} -BackupInterval 1m -AuditInterval 2m -KeepTransactions {options.Window.TotalMinutes:0}m -Verbose",
            store.Environment);
        process.StandardInput.Close();
        life = LiveAsync(process);
    }

    private async Task LiveAsync(Process of)
    {
        var error = of.StandardError.ReadToEndAsync();
        while (await of.StandardOutput.ReadLineAsync() is { } line)
        {
            Hear(line);
        }

        await of.WaitForExitAsync();
        var said = await error;
        of.Dispose();
        if (isMeantToEnd)
        {
            return;
        }

        if ((SoakStore.FaultIn(said) ?? Array.Find(Excuses, excuse => said.Contains(excuse, StringComparison.Ordinal))) is not { } reason)
        {
            tally.Problem($"the protection ended by itself: {said}");
            return;
        }

        // A service would start it again, too.
        tally.Add("protection ended: " + reason);
        await Task.Delay(BeforeRestart);
        if (!isMeantToEnd)
        {
            _ = Task.Run(Start);
        }
    }

    private void Hear(string line)
    {
        const string Base = "is backed up as it is now, because ";
        if (line.IndexOf(Base, StringComparison.Ordinal) is var at and >= 0)
        {
            var why = line[(at + Base.Length)..];
            tally.Add("protection: base, " + why[..Math.Min(50, why.Length)]);
            tally.Add("bases told");
            if (why.Contains("although no transaction since has written them", StringComparison.Ordinal))
            {
                tally.Problem("an audit found what is not there: " + why);
            }
        }
        else if (line.Contains("is what its transactions made of it", StringComparison.Ordinal))
        {
            tally.Add("audits passed");
        }
        else if (line.Contains("Stored '", StringComparison.Ordinal) || line.Contains("continues from '", StringComparison.Ordinal))
        {
            tally.Add("protection: segments");
        }
        else if (line.Contains("Removed ", StringComparison.Ordinal))
        {
            tally.Add("protection: removals of old segments");
        }
        else if (line.Contains("WARNING", StringComparison.Ordinal))
        {
            tally.Add("protection: other warnings");
            Console.WriteLine(line);
        }
    }

    /// <summary>Notes what is said to be stored, once that is everything.</summary>
    private async Task NoteAsync(IReadOnlyList<TransactionRecord> journal)
    {
        if (!await AwaitStoredAsync())
        {
            return;
        }

        var stored = Status().Stored;
        if (await BackUpAsync("New-SHBackup") is { } checksum)
        {
            known.Add(new KnownImage(stored, checksum, TransactionRecordRange.End(journal), DateTimeOffset.UtcNow));
        }
    }

    /// <summary>Backs up by the module while the applications work and kills happen, and requires that each backup can be restored.</summary>
    private async Task BackUpBesidesAsync(Random pauses, CancellationToken end)
    {
        try
        {
            while (true)
            {
                await Task.Delay(pauses.Next(30_000), end);
                if (await BackUpAsync("New-SHBackup beside writers", " | Invoke-SHRestoreDrill -ErrorAction Stop") is { } verdict && verdict != "True")
                {
                    tally.Problem($"a backup beside writers is not sound: '{verdict}'");
                }
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The soak is over.
        }
    }

    /// <returns>What the command says of its backup; null if there is none.</returns>
    private async Task<string?> BackUpAsync(string name, string? test = null)
    {
        await backingUp.WaitAsync();
        try
        {
            var (code, output, said) = await Shell.RunAsync(
                $"(New-SHBackup {Shell.Quote(database)} {Directory} -ErrorAction Stop -WarningAction Ignore{test}).{(test is null ? "Checksum" : "Passed")}",
                store!.Environment);
            tally.Add(code == 0 ? name : name + " failed");
            if (code == 0)
            {
                return output.Trim();
            }

            // A database that is just being replaced may be missing, or half of another one: it is right to refuse that.
            if (options.What != "replace")
            {
                tally.Problem($"{name}: {said}");
            }

            return null;
        }
        finally
        {
            backingUp.Release();
        }
    }

    private async Task RestoreKnownAsync(Application reader, IReadOnlyList<TransactionRecord>? journal, KnownImage image)
    {
        if (await RestoreAsync(reader, journal, $"-Transaction {image.Transaction}", image.Transaction, image.Expected) is not { } sha256)
        {
            tally.Problem($"transaction {image.Transaction} was reported as stored, and cannot be restored");
        }
        else if (sha256 != image.Sha256)
        {
            tally.Problem($"transaction {image.Transaction} is not byte for byte the database of then");
        }
        else
        {
            tally.Add("restored byte for byte");
        }
    }

    /// <summary>Restores, and requires an image of a moment, the right one; without a journal, one that is sound.</summary>
    /// <returns>The SHA-256 of the image; null if it is in a gap that was reported.</returns>
    private async Task<string?> RestoreAsync(
        Application reader, IReadOnlyList<TransactionRecord>? journal, string target, long? transaction, TransactionRecordRange expected)
    {
        File.Delete(restored);
        var (code, output, said) = await Shell.RunAsync(
            $"$ErrorActionPreference = 'Stop'; $found = Restore-SHBackup {target} -Database {Shell.Quote(database)} -Destination {Shell.Quote(restored)} {Directory} {store!.SourceParameters} -ErrorAction Stop -WarningVariable warnings -WarningAction SilentlyContinue -InformationAction Ignore; \"$($found.RestoredTransaction) $($warnings -match 'Nobody looked')\"",
            store.Environment);
        if (code != 0)
        {
            await ExplainAsync(target, transaction, said);
            return null;
        }

        tally.Add("restored");
        var report = await reader.CheckAsync(restored);
        foreach (var problem in journal is null ? report.Problems : report.ProblemsBeside(journal))
        {
            tally.Problem($"restored by {target}: {problem}");
        }

        var answer = output.Trim().Split(' ', 2);
        var least = expected.Least;
        if (answer.Length > 1)
        {
            // What was committed then may be missing, as it says.
            least = 0;
            tally.Add("restores that warned of a time when nobody looked");
        }

        if (journal is not null && (report.Transactions < least || report.Transactions > expected.Most))
        {
            tally.Problem($"restored by {target}: it has {report.Transactions} transactions and not {least} to {expected.Most}");
        }

        if (long.TryParse(answer[0], CultureInfo.InvariantCulture, out var number))
        {
            if (transaction is not null && number != transaction)
            {
                tally.Problem($"restored by {target}: it says it is transaction {number}");
            }

            if (journal is not null)
            {
                Compare(number, report.Transactions);
            }
        }

        return ImageHash.Of(restored);
    }

    /// <summary>A restore may fail in a gap that was reported, and for no other reason.</summary>
    private async Task ExplainAsync(string target, long? transaction, string said)
    {
        if (AloneInBackup().Match(said) is { Success: true } match)
        {
            var alone = new MergedRange(
                long.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture), long.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture));
            if (!merged.Contains(alone))
            {
                // It may have come since they were found.
                await FindMergedAsync();
            }

            if (merged.Contains(alone) && (transaction is null || merged.Any(range => range.First <= transaction && transaction < range.Last)))
            {
                tally.Add("holes of reported gaps");
                return;
            }
        }

        if (transaction is null && said.Contains("There is no usable backup as old as", StringComparison.Ordinal))
        {
            tally.Add("moments before the stream");
        }
        else
        {
            tally.Problem($"Restore-SHBackup {target}: {said}");
        }
    }

    /// <summary>Between two transactions without a gap in between there can be no more of the applications' own: else one was missed.</summary>
    private void Compare(long transaction, int ledger)
    {
        foreach (var (other, count) in ledgers)
        {
            var (from, to) = (Math.Min(other, transaction), Math.Max(other, transaction));
            var grown = other < transaction ? ledger - count : count - ledger;
            if (grown < 0 || (grown > to - from && !merged.Any(range => from < range.Last && range.Last <= to)))
            {
                tally.Problem($"between transactions {from} and {to} there are {grown} of the applications");
            }
        }

        ledgers[transaction] = ledger;
    }

    /// <summary>Finds where several transactions are one step.</summary>
    private async Task FindMergedAsync()
    {
        var (code, output, said) = await Shell.RunAsync(
            $"Get-SHBackupTransaction {Shell.Quote(database)} {store!.SourceParameters} -ErrorAction Stop | Where-Object BackupId | ForEach-Object {{ \"$($_.FirstTransaction) $($_.Transaction)\" }}",
            store.Environment);
        if (code != 0)
        {
            tally.Problem("Get-SHBackupTransaction: " + said);
            return;
        }

        merged.UnionWith(output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' '))
            .Select(pair => new MergedRange(long.Parse(pair[0], CultureInfo.InvariantCulture), long.Parse(pair[1], CultureInfo.InvariantCulture))));
    }

    private async Task RequireReportedAsync()
    {
        await FindMergedAsync();
        tally.Add("bases in the stream", merged.Count);
        if (merged.Count > tally.Count("bases told"))
        {
            tally.Problem($"the stream has {merged.Count} bases, and {tally.Count("bases told")} were told");
        }
    }

    [GeneratedRegex(@"transactions (\d+) to (\d+) are in the backup '[^']+' alone \(")]
    private static partial Regex AloneInBackup();

    private ProtectionView Status()
    {
        var folder = new DirectoryInfo(Path.Combine(backups, ".shbackup", "protection"));
        return folder.Exists && folder.EnumerateFiles("status.json", SearchOption.AllDirectories).FirstOrDefault() is { } file
            ? ProtectionView.Parse(JsonElement.Parse(File.ReadAllText(file.FullName)))
            : new ProtectionView("", 0, 0, null, null);
    }
}
