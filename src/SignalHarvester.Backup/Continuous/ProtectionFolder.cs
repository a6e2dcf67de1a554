using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Continuous;

/// <summary>
/// The state of a database's continuous protection, in <c>.shbackup/protection/key</c> of its backup directory: the lock, the place of the
/// stream with the segment that is on its way, the status for others, and the request to stop.
/// </summary>
/// <param name="directory">The backup directory.</param>
/// <param name="databasePath">The database.</param>
internal sealed class ProtectionFolder(BackupDirectory directory, string databasePath)
{
    private const string LockName = "running";
    private const string PlaceName = "place";
    private const string StatusName = "status.json";
    private const string StopName = "stop";

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

    /// <summary>Whether a process protects the database.</summary>
    public bool IsRunning()
    {
        try
        {
            var lockPath = Path.Combine(path, LockName);
            if (!File.Exists(lockPath))
            {
                return false;
            }

            RegularFile.Release(RegularFile.Open(lockPath, FileMode.Open, FileAccess.ReadWrite, DurableFile.Exclusive));
            return false;
        }
        catch (IOException exception) when (DiskFault.IsHeldElsewhere(exception))
        {
            return true;
        }
    }

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
    /// <exception cref="BackupException">DirectoryNotWritable: this account may not read it; WriteFailed: the disk fails.</exception>
    public SavedPlace? Load(out byte[] pending)
    {
        pending = [];
        var file = Path.Combine(path, PlaceName);
        if (!File.Exists(file))
        {
            return null;
        }

        var content = DiskFault.Guard(
            file, BackupErrorId.DirectoryNotWritable, "Run it as the account that protected the database before.", () => File.ReadAllBytes(file));
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

    /// <summary>Shows others what goes on. It is not flushed: after a crash nobody needs it.</summary>
    public void Show(BackupProtection status)
    {
        var temporary = Path.Combine(path, StatusName + ".partial");
        File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(status, ProtectionJson.Default.BackupProtection));
        File.Move(temporary, Path.Combine(path, StatusName), overwrite: true);
    }

    /// <summary>Reads what a process shows; null if there was never one.</summary>
    public BackupProtection? Status()
    {
        try
        {
            var status = JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(path, StatusName)), ProtectionJson.Default.BackupProtection);
            return status is null or { State: ProtectionState.Stopped or ProtectionState.Fenced } || IsRunning()
                ? status
                : status with { State = ProtectionState.Ended };
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Asks the process that protects the database to stop.</summary>
    public void RequestStop() => File.WriteAllBytes(StopPath, []);

    /// <summary>Whether somebody asked for it.</summary>
    public bool IsStopRequested => File.Exists(StopPath);

    /// <summary>Returns the status of every database that is or was protected with a backup directory.</summary>
    public static IReadOnlyList<BackupProtection> All(BackupDirectory directory)
    {
        var folder = new DirectoryInfo(directory.Layout.ProtectionFolder);
        return !folder.Exists ? [] :
        [
            .. folder.EnumerateDirectories()
                .Select(child => new ProtectionFolder(directory, child))
                .Select(child => child.Status())
                .OfType<BackupProtection>()
                .OrderBy(status => status.Database, StringComparer.Ordinal),
        ];
    }

    private BackupException Running(Exception? inner) => new(
        BackupErrorId.ProtectionRunning, databasePath,
        $"'{databasePath}' is already protected by another process, with the backup directory '{directory.Path}'. Get-SHBackupProtection shows it; stop it first with Stop-SHBackupProtection.",
        inner);

    private ProtectionFolder(BackupDirectory directory, DirectoryInfo folder)
        : this(directory, string.Empty) => path = folder.FullName;
}
