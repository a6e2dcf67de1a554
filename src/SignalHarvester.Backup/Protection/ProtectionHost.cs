using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Continuous;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Protection;

/// <summary>Protects several databases in one process, until it is stopped; and tells of those that others protect.</summary>
public static class ProtectionHost
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Breath = TimeSpan.FromSeconds(1);

    /// <summary>Checks where databases and their backups are, before anything is opened.</summary>
    /// <param name="databases">The paths of the databases, each with the directory of its backups.</param>
    /// <param name="store">Where the streams and the backups go.</param>
    /// <param name="context">Messages.</param>
    /// <returns>Each database once, by its full path, links followed.</returns>
    /// <exception cref="BackupException">
    /// ProtectionRefused; ProtectionRunning; DirectoryNotWritable; InvalidArgument: the store is the backup directory; the errors of the paths.
    /// </exception>
    public static IReadOnlyList<(string Database, BackupDirectory Directory)> Resolve(
        IReadOnlyList<(string Database, BackupDirectory Directory)> databases, StoreCatalog store, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(databases);
        ArgumentNullException.ThrowIfNull(store);
        var resolved = databases.Select(entry =>
        {
            store.RefuseHome(entry.Directory);
            var path = SourcePath.Resolve(entry.Database, allowHardLink: false, isKnown: false, context);
            ProtectionGrounds.Here.Require(path);
            new ProtectionFolder(entry.Directory, path).RequireUsable();
            return (Database: path, entry.Directory);
        });
        return [.. resolved.DistinctBy(entry => entry.Database, StringComparer.Ordinal)];
    }

    /// <summary>Protects databases until all of them are stopped, or have failed.</summary>
    /// <param name="databases">The databases, as <see cref="Resolve"/> returns them.</param>
    /// <param name="store">Where the streams and the backups go.</param>
    /// <param name="options">The options.</param>
    /// <param name="context">Clock, messages; its cancellation stops the protection.</param>
    /// <returns>How each has ended.</returns>
    public static IReadOnlyList<ProtectionOutcome> Run(
        IReadOnlyList<(string Database, BackupDirectory Directory)> databases, StoreCatalog store, ProtectionOptions options, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(databases);
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(context);
        var own = context with { Report = told => Tell(told, context) };

        // A store in which one of them was stored before is away if it is missing; made anew for another one, it would take this one's next transactions.
        var mayCreate = options.CreatesContainer && !databases.Any(entry => MayHaveStored(entry.Directory, entry.Database, store));
        options = options with { CreatesContainer = mayCreate };
        using var turns = new BackupTurns();
        using var rounds = new RestRounds(context.Clock);
        var positions = new KnownPositions();
        var starts = new StoredStarts(store, own);
        var protections = new List<DatabaseProtection>();
        try
        {
            foreach (var (path, directory) in databases)
            {
                protections.Add(new DatabaseProtection(path, directory, store, options, turns, rounds, positions, starts, own));
            }

            return RunAsync(protections, own).GetAwaiter().GetResult();
        }
        finally
        {
            protections.ForEach(protection => protection.Dispose());
        }
    }

    /// <summary>Returns the protection of every database that is or was protected with a backup directory.</summary>
    /// <param name="directory">The backup directory.</param>
    /// <param name="fault">Called for each whose status cannot be read; null to throw.</param>
    /// <exception cref="BackupException">SidecarHostile, DirectoryUnreadable.</exception>
    public static IReadOnlyList<BackupProtection> Find(BackupDirectory directory, Action<BackupException>? fault = null)
    {
        ArgumentNullException.ThrowIfNull(directory);
        return ProtectionFolder.All(directory, fault);
    }

    /// <summary>Refuses a database that another process protects.</summary>
    /// <exception cref="BackupException">ProtectionRunning; SidecarHostile, DirectoryUnreadable.</exception>
    public static void RefuseRunning(BackupDirectory directory, string database)
    {
        ArgumentNullException.ThrowIfNull(directory);
        new ProtectionFolder(directory, database).RefuseRunning();
    }

    /// <summary>Forgets a protection that could not begin; one that has stored something is left as it is.</summary>
    /// <exception cref="BackupException">ProtectionRunning; DirectoryNotWritable.</exception>
    public static void ForgetUnbegun(BackupDirectory directory, string database)
    {
        ArgumentNullException.ThrowIfNull(directory);
        new ProtectionFolder(directory, database).ForgetUnbegun();
    }

    /// <summary>Asks the process that protects a database to stop, and does not wait.</summary>
    public static void RequestStop(BackupDirectory directory, string database)
    {
        ArgumentNullException.ThrowIfNull(directory);
        var folder = new ProtectionFolder(directory, database);
        if (folder.IsRunning())
        {
            folder.RequestStop();
        }
    }

    /// <summary>Asks the process that protects a database to stop, and waits for its end.</summary>
    /// <param name="directory">The backup directory.</param>
    /// <param name="databasePath">The database, as its protection names it.</param>
    /// <param name="timeout">How long to wait.</param>
    /// <param name="context">Clock, cancellation.</param>
    /// <returns>The protection as it ended.</returns>
    /// <exception cref="BackupException">ProtectionRunning: it did not end in time; SidecarHostile, DirectoryNotWritable: it cannot be asked.</exception>
    public static BackupProtection Stop(BackupDirectory directory, string databasePath, TimeSpan timeout, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var folder = new ProtectionFolder(directory, databasePath);
        var began = context.Clock.GetTimestamp();
        for (folder.RequestStop(); folder.IsRunning(); context.Cancellation.WaitHandle.WaitOne(Look))
        {
            context.Cancellation.ThrowIfCancellationRequested();
            if (context.Clock.GetElapsedTime(began) >= timeout)
            {
                throw new BackupException(
                    BackupErrorId.ProtectionRunning, databasePath,
                    $"The protection of '{databasePath}' was asked to stop, and has not ended yet: it may still be storing transactions. Look with Get-SHBackupProtection, and give a longer -Timeout.");
            }
        }

        return folder.Status() ?? new BackupProtection { Database = databasePath, State = ProtectionState.Ended };
    }

    private static bool MayHaveStored(BackupDirectory directory, string database, StoreCatalog store)
    {
        try
        {
            return new ProtectionFolder(directory, database).HasStoredIn(store.Location);
        }
        catch (BackupException)
        {
            // It is the error of this database alone, whose own protection meets it next.
            return true;
        }
    }

    /// <summary>Passes a report on. After a stop nobody waits until it is written: that would end what is still to be stored.</summary>
    private static void Tell(OperationEvent told, OperationContext context)
    {
        try
        {
            context.Report(told);
        }
        catch (OperationCanceledException) when (context.Cancellation.IsCancellationRequested)
        {
            // It was handed over, and is written as long as anybody reads.
        }
    }

    /// <summary>Runs them all, and tells others how they go on, the service manager too if there is one.</summary>
    private static async Task<IReadOnlyList<ProtectionOutcome>> RunAsync(IReadOnlyList<DatabaseProtection> protections, OperationContext context)
    {
        using var notice = ServiceNotice.Find();
        using var ended = new CancellationTokenSource();
        var attend = AttendAsync(protections, context.Clock, ended.Token);
        var report = notice is null ? Task.CompletedTask : new ServiceReport(notice, protections, context.Clock).RunAsync(context.Cancellation, ended.Token);
        try
        {
            return await Task.WhenAll(protections.Select(protection => RunAsync(
                protection, () => protections.Any(other => other != protection && !other.HasEnded), context))).ConfigureAwait(false);
        }
        finally
        {
            await ended.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(attend, report).ConfigureAwait(false);
        }
    }

    private static async Task AttendAsync(IReadOnlyList<DatabaseProtection> protections, TimeProvider clock, CancellationToken ended)
    {
        while (!ended.IsCancellationRequested)
        {
            foreach (var protection in protections)
            {
                protection.Attend();
            }

            await Task.Delay(Breath, clock, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <param name="protection">The protection.</param>
    /// <param name="hasOthers">Whether others go on: then its error, which is reported at the end of all, is still far away.</param>
    /// <param name="context">Clock, messages.</param>
    private static async Task<ProtectionOutcome> RunAsync(DatabaseProtection protection, Func<bool> hasOthers, OperationContext context)
    {
        var began = context.Clock.GetTimestamp();
        BackupException? fault = null;
        try
        {
            await protection.RunAsync().ConfigureAwait(false);
        }
        catch (BackupException exception)
        {
            fault = exception;
            if (hasOthers() || context.Cancellation.IsCancellationRequested)
            {
                // Where a signal stops the command, the process ends before it can report errors.
                context.Warn($"The protection of '{protection.Path}' has ended: {exception.Message}");
            }
        }
        catch (Exception exception)
        {
            // It is an error of the whole command, which others may keep from ending for a long time.
            context.Warn($"The protection of '{protection.Path}' has ended unexpectedly: {exception.Message}");
            throw;
        }

        return new ProtectionOutcome(protection.Path, protection.Shown, context.Clock.GetElapsedTime(began), fault);
    }
}
