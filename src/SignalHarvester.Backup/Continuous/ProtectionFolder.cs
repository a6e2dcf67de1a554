using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Continuous;

/// <summary>
/// The state of a database's continuous protection, in <c>.shbackup/protection/key</c> of its backup directory: the lock, the place of the
/// stream with the segment that is on its way, the status for others, and the request to stop. Whoever owns the backup directory may have put
/// anything in their places, and may be somebody else than this account: no link is followed, no pipe waited for, nothing read without end.
/// </summary>
/// <param name="directory">The backup directory.</param>
/// <param name="databasePath">The database.</param>
internal sealed class ProtectionFolder(BackupDirectory directory, string databasePath)
{
    private const string LockName = "running";
    private const string PlaceName = "place";
    private const string StatusName = "status.json";
    private const string StopName = "stop";
    private const string GapName = "gap";
    private const int LargestGap = 64 << 10;
    private const int LargestStatus = 1 << 20;

    // A segment has a header of 64 MiB at most, and no more pages than may wait in memory.
    private const int LargestPlace = 192 << 20;

    // Half as long again as a process that is well leaves its status as it is.
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(30);

    private readonly string path = Path.Combine(directory.Layout.ProtectionFolder, DatabaseKey.Of(databasePath));

    private string StopPath => Path.Combine(path, StopName);

    /// <summary>Takes the lock, which the system releases when the process ends.</summary>
    /// <exception cref="BackupException">ProtectionRunning; DirectoryNotWritable.</exception>
    public SafeFileHandle Lock()
    {
        directory.RefuseLinks();
        try
        {
            DurableFile.CreateDirectory(directory.Layout.StateFolder);
            PrivateFolder.CreateDurably(path);
            var handle = RegularFile.Open(Path.Combine(path, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, DurableFile.Exclusive);
            DurableFile.Discard(StopPath);
            return handle;
        }
        catch (IOException exception) when (DiskFault.IsHeldElsewhere(exception))
        {
            throw Running(exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw DiskFault.From(
                exception, path, BackupErrorId.DirectoryNotWritable, "Give a directory that this account may write to with -BackupDirectory.");
        }
    }

    /// <summary>Refuses a database that another process protects.</summary>
    /// <exception cref="BackupException">ProtectionRunning.</exception>
    public void RefuseRunning()
    {
        if (IsRunning())
        {
            throw Running(null);
        }
    }

    /// <summary>Proves that a process of this account can protect the database with this directory.</summary>
    /// <exception cref="BackupException">ProtectionRunning; DirectoryNotWritable.</exception>
    public void RequireUsable() => RegularFile.Release(Lock());

    /// <summary>Whether the database was protected to a store before.</summary>
    /// <param name="backups">Where the ordinary backups are in it.</param>
    /// <exception cref="BackupException">As in <see cref="Load"/>.</exception>
    public bool HasStoredIn(StoreLocation backups) => Load(out _)?.Store == StreamStore.LocationOf(backups, databasePath).ToString();

    /// <summary>Forgets a protection that could not begin, so that nobody looks for what was never protected. One that has stored something stays.</summary>
    /// <exception cref="BackupException">ProtectionRunning; DirectoryNotWritable.</exception>
    public void ForgetUnbegun()
    {
        if (Load(out _) is null)
        {
            var held = Lock();
            try
            {
                DurableFile.Discard(Path.Combine(path, StatusName));
            }
            finally
            {
                // A program that is just being started has the file open, too, for a moment.
                RegularFile.Release(held);
            }
        }
    }

    /// <summary>Whether a process protects the database.</summary>
    /// <exception cref="BackupException">SidecarHostile, DirectoryUnreadable.</exception>
    public bool IsRunning() => Look(IsLocked, nothing: false);

    /// <summary>Keeps the place of the stream, durably.</summary>
    /// <param name="place">The place.</param>
    /// <param name="pending">The bytes of the segment that may not have arrived; empty if all have.</param>
    public void Save(SavedPlace place, ReadOnlySpan<byte> pending)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(place, ProtectionJson.Default.SavedPlace);
        var content = new byte[sizeof(int) + json.Length + pending.Length];
        BinaryPrimitives.WriteInt32LittleEndian(content, json.Length);
        json.CopyTo(content.AsSpan(sizeof(int)));
        pending.CopyTo(content.AsSpan(sizeof(int) + json.Length));
        DurableFile.WriteAllBytes(Path.Combine(path, PlaceName), content);
    }

    /// <summary>Reads the place of the stream.</summary>
    /// <param name="pending">The bytes of the segment that may not have arrived; empty if all have.</param>
    /// <returns>Null if there is none, or it is damaged: then nothing is known of the stream.</returns>
    /// <exception cref="BackupException">
    /// DirectoryNotWritable: this account may not read it; SidecarHostile: it is a link or the like; WriteFailed: the disk fails.
    /// </exception>
    public SavedPlace? Load(out byte[] pending)
    {
        pending = [];
        byte[] content;
        try
        {
            using var folder = HeldFolder.Open(path);
            content = ReadAllBytes(folder, PlaceName, LargestPlace);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException or FileTooLargeException)
        {
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw DiskFault.From(
                exception, Path.Combine(path, PlaceName), BackupErrorId.DirectoryNotWritable,
                "Run it as the account that protected the database before.");
        }

        if (content.Length < sizeof(int)
            || BinaryPrimitives.ReadInt32LittleEndian(content) is var length && (length < 0 || length > content.Length - sizeof(int)))
        {
            return null;
        }

        try
        {
            var place = JsonSerializer.Deserialize(content.AsSpan(sizeof(int), length), ProtectionJson.Default.SavedPlace);
            pending = content[(sizeof(int) + length)..];
            return place?.Pending is null || place.PendingSha256 == Convert.ToHexStringLower(SHA256.HashData(pending)) ? place : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Keeps, durably, why a backup must mend a gap of the stream; or forgets it.</summary>
    /// <param name="why">That as a clause; null if none must.</param>
    /// <exception cref="IOException">It cannot be kept.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public void NoteGap(string? why)
    {
        if (why is null)
        {
            DurableFile.Delete(Path.Combine(path, GapName));
        }
        else
        {
            DurableFile.WriteAllBytes(Path.Combine(path, GapName), Encoding.UTF8.GetBytes(why));
        }
    }

    /// <summary>Why a backup must still mend a gap, as a clause; null if none must.</summary>
    /// <exception cref="BackupException">SidecarHostile, DirectoryUnreadable.</exception>
    public string? NotedGap() => Look(folder => Encoding.UTF8.GetString(ReadAllBytes(folder, GapName, LargestGap)), nothing: null);

    /// <summary>Shows others what goes on. It is not flushed: after a crash nobody needs it.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public void Show(BackupProtection status)
    {
        using var folder = HeldFolder.Open(path);
        DurableFile.WriteFleeting(folder, StatusName, JsonSerializer.SerializeToUtf8Bytes(status, ProtectionJson.Default.BackupProtection));
    }

    /// <summary>Reads what a process shows, and whether it still does.</summary>
    /// <returns>Null if there was never one, or what is there is no status of this database.</returns>
    /// <exception cref="BackupException">SidecarHostile, DirectoryUnreadable.</exception>
    public BackupProtection? Status() => Look<BackupProtection?>(Status, nothing: null);

    /// <summary>Reads what an earlier process has shown last, as it is. To be called with the lock, before anything is shown anew.</summary>
    /// <returns>Null if there was never one, or what is there is no status of this database. A crash of the machine may have left an older one.</returns>
    /// <exception cref="BackupException">SidecarHostile, DirectoryUnreadable.</exception>
    public BackupProtection? LastShown() => Look(ReadStatus, nothing: null);

    /// <summary>Asks the process that protects the database to stop.</summary>
    /// <exception cref="BackupException">SidecarHostile, DirectoryNotWritable, InsufficientSpace, WriteFailed.</exception>
    public void RequestStop()
    {
        directory.RefuseLinks();
        DiskFault.Guard(StopPath, BackupErrorId.DirectoryNotWritable, "Run it as the account that protects the database.", () =>
        {
            // Never emptied or written to: that the name is there is the request.
            using var folder = HeldFolder.Open(path);
            folder.OpenFile(StopName, FileMode.OpenOrCreate, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete).Dispose();
        });
    }

    /// <summary>Whether somebody asked for it.</summary>
    public bool IsStopRequested => FileKind.IsRegularItself(StopPath);

    /// <summary>Returns the status of every database that is or was protected with a backup directory.</summary>
    /// <param name="directory">The backup directory.</param>
    /// <param name="fault">Called for each status that cannot be read; null to throw.</param>
    /// <exception cref="BackupException">SidecarHostile, DirectoryUnreadable.</exception>
    public static IReadOnlyList<BackupProtection> All(BackupDirectory directory, Action<BackupException>? fault = null)
    {
        return
        [
            .. Try(() => Look(directory, directory.Layout.ProtectionFolder, folder => folder.Names().Where(DatabaseKey.IsOne).ToList(), nothing: []), [])
                .Select(key => Try(new ProtectionFolder(directory, string.Empty, key).Status, null))
                .OfType<BackupProtection>()
                .OrderBy(status => status.Database, StringComparer.Ordinal),
        ];

        T Try<T>(Func<T> read, T otherwise)
        {
            try
            {
                return read();
            }
            catch (BackupException exception) when (fault is not null)
            {
                fault(exception);
                return otherwise;
            }
        }
    }

    private T Look<T>(Func<HeldFolder, T> look, T nothing) => Look(directory, path, look, nothing);

    private static T Look<T>(BackupDirectory directory, string path, Func<HeldFolder, T> look, T nothing)
    {
        directory.RefuseLinks();
        try
        {
            using var folder = HeldFolder.Open(path);
            return look(folder);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return nothing;
        }
        catch (NotAFileException exception)
        {
            throw new BackupException(BackupErrorId.SidecarHostile, exception.Path, exception.Message, exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(
                BackupErrorId.DirectoryUnreadable, path,
                $"The state of a protection in '{path}' cannot be read: {exception.Message} Run it as the account that protects the database, and check the permissions, and what is there.",
                exception);
        }
    }

    private static byte[] ReadAllBytes(HeldFolder folder, string name, int most)
    {
        byte[] bytes = [];
        var length = folder.ReadAllBytes(name, most, ref bytes);
        return bytes[..length];
    }

    private static bool IsLocked(HeldFolder folder)
    {
        try
        {
            // Shared, so that two that look at the same moment do not take each other for the process.
            RegularFile.Release(folder.OpenFile(LockName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
            return false;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
        catch (IOException exception) when (DiskFault.IsHeldElsewhere(exception))
        {
            return true;
        }
    }

    private BackupProtection? ReadStatus(HeldFolder folder)
    {
        try
        {
            var status = JsonSerializer.Deserialize(ReadAllBytes(folder, StatusName, LargestStatus), ProtectionJson.Default.BackupProtection);

            // Two of one database, or one that nobody could stop, would mislead everybody who reads it.
            return status?.Database is not null && Path.GetFileName(path) == DatabaseKey.Of(status.Database)
                && Enum.IsDefined(status.State) && status.State != ProtectionState.None ? status : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private BackupProtection? Status(HeldFolder folder)
    {
        if (ReadStatus(folder) is not { } status)
        {
            return null;
        }

        return status.State is ProtectionState.Stopped or ProtectionState.Fenced ? status
            : !IsLocked(folder) ? status with { State = ProtectionState.Ended, Lag = LagSince(status.LastLook ?? status.Since, status.Lag) }
            : OfRunning(status, new DateTimeOffset(File.GetLastWriteTimeUtc(folder.FilePath(StatusName))));
    }

    /// <summary>Returns the status of a process that has not ended: one that is frozen, or cannot write, has left an old one, which promises nothing.</summary>
    /// <param name="status">What it showed last.</param>
    /// <param name="written">When it did.</param>
    private BackupProtection OfRunning(BackupProtection status, DateTimeOffset written)
    {
        var now = directory.Clock.GetUtcNow();

        // Before its first look it shows when an earlier process has looked last.
        var look = status.LastLook is { } last && (status.Since is not { } since || last >= since) ? last : written;

        // A moment in the future says no more than one long ago: the clock was set back meanwhile.
        var blind = (now - look).Duration();
        if (blind <= LongestSilence)
        {
            return status;
        }

        var lag = LagSince(look, status.Lag);
        if (status is { State: ProtectionState.Waiting, Problem: not null } && (now - written).Duration() <= LongestSilence)
        {
            return status with { Lag = lag };
        }

        var process = status.ProcessId is { } id ? string.Create(CultureInfo.InvariantCulture, $"process {id}") : "its process";
        var before = status.Problem is { } problem ? $" Its last problem: {problem}" : string.Empty;
        return status with
        {
            State = ProtectionState.Waiting,
            Lag = lag,
            Problem = string.Create(
                CultureInfo.InvariantCulture,
                $"Nothing has been heard from {process} since {look.UtcDateTime:u}, although it has not ended: it is suspended, or hangs, or the disk of '{directory.Path}' is full, so that it can neither store nor say anything. Free some space there, or let the process continue (kill -CONT); if that does not help, end it and start the protection again.{before}"),
        };
    }

    /// <summary>The lag of a protection that does not look any more: nobody knows what was committed meanwhile.</summary>
    private TimeSpan LagSince(DateTimeOffset? look, TimeSpan lag)
    {
        var blind = look is { } last ? (directory.Clock.GetUtcNow() - last).Duration() : TimeSpan.Zero;
        return blind > lag ? blind : lag;
    }

    private BackupException Running(Exception? inner) => new(
        BackupErrorId.ProtectionRunning, databasePath,
        $"'{databasePath}' is already protected by another process, with the backup directory '{directory.Path}'. Get-SHBackupProtection shows it; stop it first with Stop-SHBackupProtection.",
        inner);

    private ProtectionFolder(BackupDirectory directory, string databasePath, string key)
        : this(directory, databasePath) => path = Path.Combine(directory.Layout.ProtectionFolder, key);
}
