using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Encryption.Age;
using SignalHarvester.Backup.Formats.Seekable;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Formats;

/// <summary>
/// Appends compressed frames to a backup's file, encrypted if wanted. It computes the file's SHA-256 and flushes the file as
/// it grows.
/// </summary>
internal sealed class StoredFileWriter : IDisposable
{
    private readonly SafeFileHandle file;
    private readonly SteadyFlush flush;
    private readonly Action afterFrame;
    private readonly AgeWriter? encryption;
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long length;

    /// <summary>Begins a file.</summary>
    /// <param name="file">The empty file.</param>
    /// <param name="flush">Flushes the file as it grows.</param>
    /// <param name="afterFrame">Called after each frame.</param>
    /// <param name="encryption">The header and the key of an encrypted file; null for a plain one.</param>
    public StoredFileWriter(SafeFileHandle file, SteadyFlush flush, Action afterFrame, FileEncryption? encryption = null)
    {
        this.file = file;
        this.flush = flush;
        this.afterFrame = afterFrame;
        if (encryption is not null)
        {
            this.encryption = new AgeWriter(encryption.Key);
            Write(encryption.Header.Bytes);
            Write(this.encryption.Nonce.Span);
        }
    }

    /// <summary>Appends one frame.</summary>
    public void Append(ReadOnlySpan<byte> frame)
    {
        Write(encryption is null ? frame : encryption.Encrypt(frame));
        afterFrame();
    }

    /// <summary>Ends the file. The caller makes the last flush, because it may have a snapshot to release first.</summary>
    /// <param name="table">The table of its frames, which goes to the end; null for none.</param>
    /// <param name="pages">The list of an increment's pages, which goes before the table; null for none.</param>
    /// <returns>Bytes of the file, and its SHA-256 in lower-case hex.</returns>
    public (long Length, string Checksum) Finish(SeekTable? table = null, PageList? pages = null)
    {
        if (table is not null && pages?.ToBytes() is { } list)
        {
            Append(list);
            table.Add(list.Length, contentLength: 0);
        }

        if (table is not null)
        {
            Append(table.ToBytes());
        }

        if (encryption is not null)
        {
            Write(encryption.Finish());
        }

        return (length, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        encryption?.Dispose();
        hash.Dispose();
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        PieceWriter.Write(file, bytes, length);
        hash.AppendData(bytes);
        length += bytes.Length;
        flush.Written(bytes.Length);
    }
}
