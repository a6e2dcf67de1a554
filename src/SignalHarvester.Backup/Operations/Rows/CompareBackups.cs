using System.Runtime.ExceptionServices;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Operations.Query;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations.Rows;

/// <summary>Finds the differences between two backups, or between a backup and the live database.</summary>
internal static class CompareBackups
{
    /// <summary>Compares a backup with another, or with a database.</summary>
    /// <param name="reference">The earlier state.</param>
    /// <param name="difference">The later state; null for a database.</param>
    /// <param name="database">The full path of the database with the later state; null for a backup.</param>
    /// <param name="allowHardLink">Whether nobody writes to that database under an unknown name (hard link).</param>
    /// <param name="isWanted">Which tables are compared.</param>
    /// <param name="found">Called with each object, in the order of their names, even if there is no difference.</param>
    /// <param name="context">Clock, messages, cancellation, and the secrets for encrypted backups.</param>
    /// <exception cref="BackupException">As restoring the backups, and as backing the database up: Source….</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static void Run(
        BackupSource reference,
        BackupSource? difference,
        string? database,
        bool allowHardLink,
        Func<SqliteName, bool> isWanted,
        Action<BackupDifference> found,
        OperationContext context)
    {
        var (backup, directory) = (reference.Backup, reference.Catalog.Home);
        try
        {
            directory.RefuseLinks();
            using var earlier = OpenImage.Of(reference, context);
            using var later = difference is null ? null : OpenImage.Of(difference, context);
            using var folder = later is null
                ? TemporaryFolder.CreateInFirst([directory.Layout.TemporaryParent, Path.GetTempPath()], backup.DatabaseSize ?? backup.Size)
                : null;
            var (uri, name) = later is null ? Snapshot(database!, allowHardLink, folder!, context) : (later.Uri, difference!.Backup.Id);
            try
            {
                using var images = CompareImages.Open(
                    earlier.Uri, uri, backup.Id, name, () => earlier.Failure ?? later?.Failure, context.Cancellation);
                List<SchemaObject> objects = [.. images.Objects().Where(item => isWanted(item.Name))];
                using var meter = context.Meter($"Comparing {backup.Id}", objects.Count);
                foreach (var item in objects)
                {
                    meter.Part = item.Name.ToString();
                    found(images.Compare(item));
                    meter.Advance(1);
                }

                earlier.Tell(context);
                later?.Tell(context);
            }
            catch (SqliteException) when ((earlier.Failure ?? later?.Failure) is { } failure)
            {
                ExceptionDispatchInfo.Throw(failure);
            }
        }
        catch (SqliteException exception) when (context.Cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(exception.Message, exception, context.Cancellation);
        }
        catch (SqliteException exception)
        {
            throw new BackupException(
                BackupErrorId.ComparisonFailed, backup.Id,
                $"'{backup.Id}' cannot be compared: {exception.Message.TrimEnd('.')}. Restore both states to separate files (Restore-SHBackup), and compare them with their application.",
                exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw DiskFault.From(
                exception, directory.Path, BackupErrorId.WriteFailed, "Check the permissions of the backup directory and of the temporary folder.");
        }
    }

    /// <summary>Takes the database at one moment, without making its writers wait: as a backup that is discarded afterwards.</summary>
    private static (string Uri, string Name) Snapshot(string database, bool allowHardLink, TemporaryFolder folder, OperationContext context)
    {
        var made = CreateBackup.Run(
            database,
            new BackupDirectory(folder.FilePath("snapshot"), context.Clock),
            new CreateBackupOptions { Compression = CompressionType.None, Verify = false, AllowHardLink = allowHardLink },
            context);
        return (SqliteConnections.ImmutableUri(made.BackupPath), made.DatabasePath!);
    }
}
