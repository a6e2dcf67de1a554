using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.ObjectStorage.Transfers;

/// <summary>
/// The record of an upload in parts, so that another process can resume it: a private file below .shbackup, held exclusively by
/// the uploading process. If it is deleted, the upload starts again.
/// </summary>
internal sealed class UploadJournal : IDisposable
{
    private readonly string path;
    private readonly SafeFileHandle handle;

    private UploadJournal(string path, SafeFileHandle handle)
    {
        this.path = path;
        this.handle = handle;
    }

    /// <summary>Whether there is a journal of an upload.</summary>
    public static bool Exists(string folder, string url) => File.Exists(PathOf(folder, url));

    /// <summary>Opens the journal of an upload, new or not.</summary>
    /// <param name="folder">The folder of the journals. A missing one is made.</param>
    /// <param name="url">The object's address.</param>
    /// <exception cref="BackupException">CloudTransferInProgress: another process is uploading the same object.</exception>
    public static UploadJournal Open(string folder, string url)
    {
        PrivateFolder.CreateDurably(folder);
        var path = PathOf(folder, url);
        try
        {
            return new UploadJournal(path, RegularFile.Open(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, DurableFile.Exclusive));
        }
        catch (IOException exception) when (DiskFault.IsHeldElsewhere(exception))
        {
            throw new BackupException(
                BackupErrorId.CloudTransferInProgress, url,
                $"Another process is sending '{url}' at the moment. Wait until it has finished; then the copy is there.", exception);
        }
    }

    /// <summary>Returns the record of an earlier process; null if there is none, or it is useless.</summary>
    public UploadRecord? Read()
    {
        var bytes = new byte[(int)Math.Min(RandomAccess.GetLength(handle), 64 << 10)];
        var read = handle.ReadFully(bytes, 0);
        try
        {
            return read == 0 ? null : JsonSerializer.Deserialize(bytes.AsSpan(0, read), TransferJson.Default.UploadRecord);
        }
        catch (JsonException)
        {
            // Half written when the process was killed, or no record at all: the upload starts again.
            return null;
        }
    }

    /// <summary>Records an upload, before its first part is sent.</summary>
    public void Write(UploadRecord record)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(record, TransferJson.Default.UploadRecord);
        RandomAccess.SetLength(handle, 0);
        RandomAccess.Write(handle, bytes, 0);
        RandomAccess.FlushToDisk(handle);
        DurableFile.FlushDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>Deletes the journal at the end of the upload.</summary>
    public void Delete() => DurableFile.Discard(path);

    /// <inheritdoc/>
    public void Dispose() => RegularFile.Release(handle);

    private static string PathOf(string folder, string url) =>
        Path.Combine(folder, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(url)))[..32] + ".json");
}
