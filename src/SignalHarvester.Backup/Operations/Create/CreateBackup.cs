using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Formats.Pipeline;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite.Snapshot;

namespace SignalHarvester.Backup.Operations.Create;

/// <summary>
/// Makes a backup. The data's way, from top to bottom: parent, snapshot, hash, compare, compress, write, flush, check, publish.
/// </summary>
internal static class CreateBackup
{
    private const int PinnedAttempts = 2;

    /// <summary>Backs up one database.</summary>
    /// <param name="databasePath">The database file.</param>
    /// <param name="directory">Where the backup goes. A missing directory is made.</param>
    /// <param name="options">The options.</param>
    /// <param name="context">Clock, messages, cancellation.</param>
    /// <returns>The published backup.</returns>
    /// <exception cref="BackupException">Source…, Directory…, InsufficientSpace, WriteFailed, BackupCorrupt and the other Backup… errors.</exception>
    /// <exception cref="OperationCanceledException">It was stopped, and removed its unfinished work.</exception>
    public static BackupMetadata Run(string databasePath, BackupDirectory directory, CreateBackupOptions options, OperationContext context)
    {
        var level = Codec.ResolveLevel(options.Compression, options.CompressionLevel);
        var (compression, fallbackReason) = UsableCodec(options.Compression, context);
        if (compression != options.Compression)
        {
            level = Codec.ResolveLevel(compression, null);
        }

        var path = SourcePath.Resolve(databasePath, options.AllowHardLink, isKnown: options.IsSafety || options.Followed is not null, context);
        string? fullReason = null;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var stepped = options.ForceStepped || attempt > PinnedAttempts;
                return new BackupAttempt(path, directory, options, compression, level, fallbackReason, stepped, fullReason, context).Run();
            }
            catch (ParentLostException exception)
            {
                fullReason = exception.Message;
                context.Warn($"A full backup of '{path}' is made, because {fullReason}.");
            }
            catch (SnapshotLostException exception) when (attempt <= PinnedAttempts)
            {
                // Started again with a new connection, because the old connection no longer holds the snapshot.
                context.Warn(
                    $"The snapshot of '{path}' was lost ({exception.Message}), so it is taken again{(attempt == PinnedAttempts ? " with SQLite's backup API" : string.Empty)}.");
            }
            catch (SnapshotLostException exception)
            {
                throw new BackupException(
                    BackupErrorId.SnapshotLost, path,
                    $"'{path}' changed during the copy, although SQLite's locks should prevent that ({exception.Message}). No backup was kept. Check that no other machine writes to the file over a network, then run the backup again.",
                    exception);
            }
        }
    }

    private static (CompressionType Usable, string? Reason) UsableCodec(CompressionType wanted, OperationContext context)
    {
        if (Codec.WhyUnusable(wanted) is not { } reason)
        {
            return (wanted, null);
        }

        context.Warn($"{wanted} compression cannot be used ({reason}); gzip is used instead. Reinstall the module to repair this.");
        return (CompressionType.Gzip, reason);
    }
}
