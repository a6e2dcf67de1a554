using System.Globalization;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations;

/// <summary>
/// Makes sure that a database is complete under the given name. SQLite finds a log and a journal by the name of the file. A log
/// beside another name of it (a hard link, a mount of the single file) would be missing in a backup, and would overlay
/// whatever a restore writes.
/// </summary>
/// <param name="path">The full path, the last link followed.</param>
/// <param name="isWritten">Whether the database will be overwritten.</param>
/// <param name="allowHardLink">Whether the user states that nobody writes to the file under an unknown name.</param>
/// <param name="context">Messages and cancellation.</param>
internal sealed class DatabaseNames(string path, bool isWritten, bool allowHardLink, OperationContext context)
{
    // A process that is just opening or closing a database holds its lock while there is no log; a transaction has a journal.
    private const int MostLooks = 40;
    private const int PauseMilliseconds = 50;

    private const int JournalModeOffset = 18;
    private const byte WalMode = 2;

    private readonly bool isMounted = FileIdentity.IsMountPoint(path);
    private readonly long count = FileIdentity.Of(path) is null ? 0 : FileIdentity.CountNames(path);
    private List<string> others = [];

    /// <summary>Whether the file has another name, or may have one: then it must stay this file.</summary>
    public bool AreSeveral => isMounted || count > 1;

    private long Unseen => count - 1 - others.Count;

    /// <summary>Looks for other names, and for problems with this one. It reads only the header, and changes nothing.</summary>
    /// <exception cref="BackupException">DatabaseHasOtherNames, DatabaseOpenInProcess.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public void Require()
    {
        if (count == 0)
        {
            return;
        }

        var self = FileIdentity.Of(path);
        others =
            count > 1 ? [.. Directory.EnumerateFiles(Path.GetDirectoryName(path)!).Where(name => name != path && FileIdentity.OfItself(name) == self)] : [];
        string? warning;
        for (var look = 1; WhyNotWhole(out warning) is { } reason; look++)
        {
            if (look == MostLooks)
            {
                throw new BackupException(
                    BackupErrorId.DatabaseHasOtherNames, path,
                    $"'{path}' must not be {(isWritten ? "restored" : "read")} under this name. {reason} Nothing was changed.");
            }

            _ = context.Cancellation.WaitHandle.WaitOne(PauseMilliseconds);
            context.Cancellation.ThrowIfCancellationRequested();
        }

        if (warning is not null)
        {
            context.Warn(warning);
        }

        if (isWritten && others.Count > 0)
        {
            context.Warn($"'{path}' is one file with {string.Join(", ", others.Select(name => $"'{name}'"))}: the restore changes all of them.");
        }
    }

    private string? WhyNotWhole(out string? warning)
    {
        warning = null;
        if (others.Find(name => HasContent(name + "-wal") || HasContent(name + "-journal")) is { } used)
        {
            return
                $"It is one file with '{used}', which has a log beside it: SQLite looks for a log by the name of the file, and does not see that log here. Give '{used}' instead. If no program uses that name any more, open it once with sqlite3, which applies the log, and delete the name.";
        }

        var (isWal, isHeld) = Look();
        if (isHeld && (!File.Exists(path + "-wal") || (AreSeveral && !FileLocks.AreOn(path + "-shm"))))
        {
            return
                $"A program has it open in WAL mode, and {(File.Exists(path + "-wal") ? $"does not use '{path}-wal'" : $"there is no '{path}-wal'")}: its log is beside another name of the file (a hard link, or a mount of this single file, as in a container), or was deleted. Give the name that the program has opened, on the machine or in the container where it runs; mount the folder of a database, never the file alone.";
        }

        var hasLog = isHeld || HasContent(path + "-wal");
        if (Unseen > 0 && !hasLog && (isWal ?? isWritten) && !allowHardLink)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"It has {count} names (hard links), {Unseen} of them not in its folder, and a log beside one of those cannot be seen here. Give the name that the program opens. If no program writes to it by another name, as in a tree of snapshots, add -AllowHardLink{(isWritten ? string.Empty : " (allow_hard_link in the configuration)")}.");
        }

        warning = Unseen > 0 && !allowHardLink
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"'{path}' has {count} names (hard links), {Unseen} of them not in its folder. A log or journal beside another name cannot be seen here.")
            : isMounted && !hasLog && (isWal ?? isWritten)
                ? $"'{path}' is mounted as a single file: a log beside the file outside cannot be seen here, and a log made here cannot be seen there. Mount the folder of a database, never the file alone."
            : null;
        return null;
    }

    private static bool HasContent(string file) => new FileInfo(file) is { Exists: true, Length: > 0 };

    /// <summary>
    /// Whether the database is in WAL mode, null if it is no database; and whether somebody has it open in that mode
    /// although no log shows it.
    /// </summary>
    private (bool? IsWal, bool IsHeld) Look()
    {
        try
        {
            using var connection = SqliteConnections.OpenLive(path, context.Cancellation);
            var main = SqliteFile.Main(connection.Handle!);
            Span<byte> header = stackalloc byte[DatabaseHeader.Size];
            if (!main.IsOpen || !main.Read(0, header) || !DatabaseHeader.HasMagic(header))
            {
                return (null, false);
            }

            var isWal = header[JournalModeOffset] == WalMode || header[JournalModeOffset + 1] == WalMode;
            return (isWal, isWal && (AreSeveral || !HasContent(path + "-wal")) && IsHeld(main));
        }
        catch (Exception exception) when (exception is SqliteException or SqliteIOException)
        {
            // The next opening meets the same problem and reports it.
            return (null, false);
        }
    }

    private static bool IsHeld(SqliteFile main)
    {
        // The same lock that SQLite takes when the last connection to a log closes, and for as short a time.
        var code = main.TryLockAlone();
        if (code == SQLitePCL.raw.SQLITE_OK)
        {
            main.Unlock();
        }

        return SqliteResult.IsBusy(code);
    }
}
