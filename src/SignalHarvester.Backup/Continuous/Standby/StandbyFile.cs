using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Continuous.Standby;

/// <summary>
/// The file beside a standby that makes it one: the lock of the process that follows, and the state, in two slots that are written in turn, so that
/// a kill or a power cut leaves one of them whole.
/// </summary>
internal sealed class StandbyFile : IDisposable
{
    /// <summary>What its name adds to that of the database.</summary>
    public const string Suffix = ".shbackup-follow";

    private const int SlotBytes = 16 << 10;
    private const int HeadBytes = 20;

    private readonly string path;
    private readonly SafeFileHandle file;
    private long sequence;

    private StandbyFile(string path, SafeFileHandle file)
    {
        this.path = path;
        this.file = file;
    }

    /// <summary>The state; null before the first one.</summary>
    public StandbyState? State { get; private set; }

    /// <summary>Whether a file beside a database says that it is a standby: it has a state, or a process keeps one.</summary>
    public static bool IsBeside(string databasePath)
    {
        try
        {
            using var handle = RegularFile.Open(databasePath + Suffix, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var opened = new StandbyFile(databasePath + Suffix, handle);
            opened.Load();
            return opened.State is not null;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException or NotAFileException or UnauthorizedAccessException)
        {
            return false;
        }
        catch (IOException exception) when (DiskFault.IsHeldElsewhere(exception))
        {
            return true;
        }
    }

    /// <summary>Opens the file of a standby, and makes it if there is none.</summary>
    /// <param name="databasePath">The standby's full path.</param>
    /// <exception cref="BackupException">StandbyRunning; DestinationNotWritable.</exception>
    public static StandbyFile Open(string databasePath)
    {
        var path = databasePath + Suffix;
        SafeFileHandle? handle = null;
        try
        {
            handle = RegularFile.Open(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, DurableFile.Exclusive);
            if (FileIdentity.CountNames(path) > 1)
            {
                // It is written in place, and would be the other one, too.
                throw new IOException($"'{path}' has another name (a hard link). Remove it.");
            }

            var opened = new StandbyFile(path, handle);
            opened.Load();
            return opened;
        }
        catch (IOException exception) when (DiskFault.IsHeldElsewhere(exception))
        {
            handle?.Dispose();
            throw new BackupException(
                BackupErrorId.StandbyRunning, databasePath,
                $"Another process keeps '{databasePath}' as a standby already. Stop that one first.", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            handle?.Dispose();
            throw DiskFault.From(
                exception, path, BackupErrorId.DestinationNotWritable, "The state of a standby is kept beside it: check that this account may write there.");
        }
    }

    /// <summary>Keeps a state, durably.</summary>
    /// <exception cref="IOException">It cannot be kept; then the former one is.</exception>
    public void Save(StandbyState state)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(state, ProtectionJson.Default.StandbyState);
        var slot = new byte[HeadBytes + json.Length];
        if (slot.Length > SlotBytes)
        {
            throw new IOException($"The state of '{path}' is too long.");
        }

        BinaryPrimitives.WriteInt64LittleEndian(slot.AsSpan(8), sequence + 1);
        BinaryPrimitives.WriteInt32LittleEndian(slot.AsSpan(16), json.Length);
        json.CopyTo(slot, HeadBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(slot, XxHash64.HashToUInt64(slot.AsSpan(8)));
        RandomAccess.Write(file, slot, (sequence + 1) % 2 * SlotBytes);
        RandomAccess.FlushToDisk(file);
        if (sequence == 0)
        {
            DurableFile.FlushDirectory(Path.GetDirectoryName(path)!);
        }

        sequence++;
        State = state;
    }

    /// <summary>Deletes the file: the database is no standby any more.</summary>
    public void Delete()
    {
        DurableFile.Delete(path);
        RegularFile.Release(file);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (State is null && !file.IsClosed)
        {
            // It was made for nothing.
            DurableFile.Discard(path);
        }

        RegularFile.Release(file);
    }

    private void Load()
    {
        var content = new byte[2 * SlotBytes];
        var length = file.ReadFully(content, 0);
        for (var at = 0; at + HeadBytes <= length; at += SlotBytes)
        {
            var slot = content.AsSpan(at, Math.Min(SlotBytes, length - at));
            var stated = BinaryPrimitives.ReadInt32LittleEndian(slot[16..]);
            if (stated < 0 || stated > slot.Length - HeadBytes
                || BinaryPrimitives.ReadUInt64LittleEndian(slot) != XxHash64.HashToUInt64(slot[8..(HeadBytes + stated)])
                || BinaryPrimitives.ReadInt64LittleEndian(slot[8..]) <= sequence)
            {
                continue;
            }

            sequence = BinaryPrimitives.ReadInt64LittleEndian(slot[8..]);
            try
            {
                State = JsonSerializer.Deserialize(slot.Slice(HeadBytes, stated), ProtectionJson.Default.StandbyState);
            }
            catch (JsonException)
            {
                // A later version wrote it, or somebody else: then it is no state.
                State = null;
            }
        }
    }
}
