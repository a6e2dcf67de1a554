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
            ProtectionGrounds.Require(path);
            new ProtectionFolder(entry.Directory, path).Try();
            return (Database: path, entry.Directory);
        });
        return [.. resolved.DistinctBy(entry => entry.Database, StringComparer.Ordinal)];
    }

    /// <summary>Protects databases until all of them are stopped, or have failed; with a search, until they are stopped.</summary>
    /// <param name="databases">The databases, as <see cref="Resolve"/> returns them.</param>
    /// <param name="search">Where databases may appear that are to be protected, too; null for nowhere.</param>
    /// <param name="store">Where the streams and the backups go.</param>
    /// <param name="options">The options.</param>
    /// <param name="context">Clock, messages; its cancellation stops the protection.</param>
    /// <returns>How each has ended.</returns>
    public static IReadOnlyList<ProtectionOutcome> Run(
        IReadOnlyList<(string Database, BackupDirectory Directory)> databases, ProtectionSearch? search, StoreCatalog store, ProtectionOptions options,
        OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(databases);
        ArgumentNullException.ThrowIfNull(context);
        var own = context with { Report = told => Tell(told, context) };
        using var turns = new BackupTurns();
        using var rounds = new RestRounds(context.Clock);
        var positions = new KnownPositions();
        var starts = new StoredStarts(store, own);
        using var protections = new ProtectionSet(own);
        protections.Start(databases.Select(entry => Prepare(entry.Database, entry.Directory, positions)));
        return RunAsync(protections, search is null ? null : new DatabaseSearch(search, protections, PrepareFound, own), own).GetAwaiter().GetResult();

        DatabaseProtection Prepare(string path, BackupDirectory directory, KnownPositions known) =>
            new(path, directory, store, options, turns, rounds, known, starts, own);

        DatabaseProtection PrepareFound(string path, BackupDirectory directory)
        {
            var (database, home) = Resolve([(path, directory)], store, own)[0];
            return Prepare(database, home, new KnownPositions());
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
    private static async Task<IReadOnlyList<ProtectionOutcome>> RunAsync(ProtectionSet protections, DatabaseSearch? search, OperationContext context)
    {
        if (search is not null)
        {
            await search.LookAsync().ConfigureAwait(false);
        }

        using var notice = ServiceNotice.Find();
        using var ended = new CancellationTokenSource();
        var attend = AttendAsync(protections, context.Clock, ended.Token);
        var report = notice is null ? Task.CompletedTask : new ServiceReport(notice, protections, context.Clock).RunAsync(context.Cancellation, ended.Token);
        try
        {
            await (search?.RunAsync() ?? Task.CompletedTask).ConfigureAwait(false);
            return await protections.EndAsync().ConfigureAwait(false);
        }
        finally
        {
            await ended.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(attend, report).ConfigureAwait(false);
        }
    }

    private static async Task AttendAsync(ProtectionSet protections, TimeProvider clock, CancellationToken ended)
    {
        while (!ended.IsCancellationRequested)
        {
            foreach (var protection in protections.All)
            {
                protection.Attend();
            }

            await Task.Delay(Breath, clock, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
