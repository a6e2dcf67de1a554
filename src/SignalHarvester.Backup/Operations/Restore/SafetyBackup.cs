using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>Backs up what a restore will overwrite: a backup like any other, marked as a safety backup.</summary>
internal sealed class SafetyBackup(RestoreTarget target, BackupMetadata restored, RestoreOptions options, OperationContext context)
{
    private const int Kept = 3;

    private BackupDirectory? directory = options.SafetyDirectory;
    private string? rawPath;

    /// <summary>The last backup that was made; null if none was.</summary>
    public BackupMetadata? Made { get; private set; }

    /// <summary>The file in which the former state is kept; null if there is none.</summary>
    public string? KeptPath => Made?.BackupPath ?? rawPath;

    /// <summary>Backs up the destination. A second backup supersedes the first, which is removed.</summary>
    /// <param name="wasWal">Whether the destination was in WAL mode before the restore left that mode.</param>
    /// <exception cref="BackupException">SafetyBackupFailed.</exception>
    public void Make(bool wasWal)
    {
        if (directory is null)
        {
            return;
        }

        var superseded = Made;
        try
        {
            Made = Create(directory, wasWal);
        }
        catch (BackupException exception) when (CannotTake(exception))
        {
            directory = new BackupDirectory(FallbackPath, context.Clock);
            context.Warn($"The safety backup goes to '{directory.Path}', because it cannot go into the backup directory: {exception.Message}");
            Made = Create(directory, wasWal);
        }

        context.Verbose($"The former state of '{target.Path}' is kept as {Made.Id} in '{directory.Path}'.");
        if (superseded is not null)
        {
            Remove([superseded.Id], "a newer one takes its place");
        }
    }

    /// <summary>Removes the safety backup of a restore that has changed nothing: the last ones that are kept are of real changes.</summary>
    public void Discard()
    {
        if (Made is not null)
        {
            Remove([Made.Id], "nothing was changed");
            Made = null;
        }
    }

    /// <summary>Copies a destination that SQLite cannot open, as it is, to a name beside it.</summary>
    /// <param name="workFolder">A temporary folder on the same file system.</param>
    public void KeepRaw(string workFolder)
    {
        if (options.SafetyDirectory is null)
        {
            return;
        }

        rawPath = target.KeepRaw(context.Clock.GetUtcNow(), workFolder, context.Cancellation);
        context.Warn($"SQLite could not open the old '{target.Path}'. It is kept unchanged as '{rawPath}'.");
    }

    /// <summary>After the restore, keeps its own backup and the two before, whatever their dates say, and never removes the restored one.</summary>
    public void Prune()
    {
        if (directory is null || Made is null)
        {
            return;
        }

        Remove(directory.List().Backups
            .Where(backup => backup.IsSafety && backup.DatabasePath == target.Path && backup.Id != Made.Id)
            .Skip(Kept - 1)
            .Where(backup => backup.Id != restored.Id)
            .Select(backup => backup.Id), FormattableString.Invariant($"the last {Kept} are kept"));
    }

    private string FallbackPath => target.Path + ".safety";

    private static bool CannotTake(BackupException exception) => exception.ErrorId is BackupErrorId.DirectoryNotFound or BackupErrorId.DirectoryNotWritable
        or BackupErrorId.DirectoryLocked or BackupErrorId.InsufficientSpace or BackupErrorId.WriteFailed;

    private BackupMetadata Create(BackupDirectory where, bool wasWal)
    {
        try
        {
            return CreateBackup.Run(
                target.Path,
                where,
                new CreateBackupOptions
                {
                    Description = $"Safety backup before restoring {restored.Id}",
                    Verify = options.Verify,
                    TolerateDamage = true,
                    Encryption = options.Encryption ?? (restored.IsEncrypted ? context.Identities.ToEncryption() : null),
                    LockTimeout = options.LockTimeout,
                    IsSafety = true,
                    WasWal = wasWal,
                },
                context);
        }
        catch (BackupException exception) when (where.Path == FallbackPath || !CannotTake(exception))
        {
            throw new BackupException(
                BackupErrorId.SafetyBackupFailed, target.Path,
                $"Nothing was restored, because the safety backup of '{target.Path}' failed: {exception.Message} To restore without one, add -NoSafetyBackup.",
                exception);
        }
    }

    private void Remove(IEnumerable<string> ids, string reason)
    {
        try
        {
            directory!.Remove(
                ids,
                System.Collections.Frozen.FrozenSet<string>.Empty,
                backup => context.Verbose($"Removing the safety backup {backup.Id}: {reason}."),
                fault => context.Warn(fault.Message),
                CancellationToken.None,
                context.Warn);
        }
        catch (BackupException exception)
        {
            // One backup too many stays, which does not harm the restore.
            context.Warn($"A safety backup could not be removed: {exception.Message}");
        }
    }
}
