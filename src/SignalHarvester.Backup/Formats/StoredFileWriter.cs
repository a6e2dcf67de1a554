using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Formats;

/// <summary>Appends compressed frames to a backup's file, takes its SHA-256 on the way, and keeps the disk busy meanwhile.</summary>
internal sealed class StoredFileWriter(SafeFileHandle file, SteadyFlush flush, Action afterFrame) : IDisposable
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Bytes written so far.</summary>
    public long Length { get; private set; }

    /// <summary>Appends one frame.</summary>
    public void Append(ReadOnlySpan<byte> frame)
    {
        PieceWriter.Write(file, frame, Length);
        hash.AppendData(frame);
        Length += frame.Length;
        flush.Written(frame.Length);
        afterFrame();
    }

    /// <summary>The SHA-256 of all that was written, in lower-case hex. The last flush is the caller's, who may have a snapshot to let go of first.</summary>
    public string Finish() => Convert.ToHexStringLower(hash.GetHashAndReset());

    /// <inheritdoc/>
    public void Dispose() => hash.Dispose();
}
