using System.Buffers;
using System.Security.Cryptography;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Encryption.Age;
using SignalHarvester.Backup.Formats.Pipeline;
using SignalHarvester.Backup.Sqlite.Snapshot;

namespace SignalHarvester.Backup.Continuous.Stream;

/// <summary>
/// A finished segment of a stream, as it is stored. Salts, and the nonce of the encryption, are random, so one that is made again is another
/// one: a writer keeps these bytes until they are known to have arrived.
/// </summary>
/// <param name="Name">Its name.</param>
/// <param name="Header">What it says of itself.</param>
/// <param name="Bytes">Its bytes.</param>
/// <param name="Sha256">Their SHA-256, in lower-case hex.</param>
internal sealed record Segment(SegmentName Name, SegmentHeader Header, ReadOnlyMemory<byte> Bytes, string Sha256)
{
    /// <summary>Makes a segment.</summary>
    /// <param name="header">What it holds.</param>
    /// <param name="commits">The transactions that the header describes; none for a base or a seal.</param>
    /// <param name="encryption">How it is encrypted; null for a plain one. Several segments may share one: each gets a nonce of its own.</param>
    public static Segment Write(SegmentHeader header, IReadOnlyList<FollowedCommit> commits, FileEncryption? encryption)
    {
        var frames = new ArrayBufferWriter<byte>();
        WriteLog(header.PageSize, commits, frames);
        var beginning = SegmentHeaderFormat.Write(header, frames.WrittenSpan);
        var bytes = encryption is null ? [.. beginning, .. frames.WrittenSpan] : Encrypt(beginning, frames.WrittenSpan, encryption);
        return new Segment(
            new SegmentName(header.Timeline, header.Number), header, bytes, Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }

    /// <summary>Writes the transactions as one log of SQLite, compressed.</summary>
    private static void WriteLog(int pageSize, IReadOnlyList<FollowedCommit> commits, ArrayBufferWriter<byte> frames)
    {
        using var compressor = ZstdFrames.Compressor(ZstdFrames.DefaultLevel);
        var chunk = new Chunk();
        var salts = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        var piece = new byte[WalFormat.FrameHeaderSize + pageSize];
        var checksum = WalFormat.WriteHeader(piece, pageSize, salts);
        Append(piece.AsSpan(0, WalFormat.HeaderSize));
        foreach (var commit in commits)
        {
            for (var index = 0; index < commit.Pages.Count; index++)
            {
                var page = commit.Pages[index];
                page.Content.Span.CopyTo(piece.AsSpan(WalFormat.FrameHeaderSize));
                checksum = WalFormat.WriteFrame(piece, page.Number, index == commit.Pages.Count - 1 ? commit.PageCount : 0, salts, checksum);
                Append(piece);
            }
        }

        Flush();

        void Append(ReadOnlySpan<byte> bytes)
        {
            while (!bytes.IsEmpty)
            {
                var count = Math.Min(bytes.Length, Chunk.ImageBytes - chunk.PlainLength);
                bytes[..count].CopyTo(chunk.Plain.AsSpan(chunk.PlainLength));
                chunk.PlainLength += count;
                bytes = bytes[count..];
                if (chunk.PlainLength == Chunk.ImageBytes)
                {
                    Flush();
                }
            }
        }

        void Flush()
        {
            if (chunk.PlainLength > 0)
            {
                compressor.Transform(chunk);
                frames.Write(chunk.StoredSpan);
                chunk.Clear();
            }
        }
    }

    private static byte[] Encrypt(ReadOnlySpan<byte> beginning, ReadOnlySpan<byte> frames, FileEncryption encryption)
    {
        using var writer = new AgeWriter(encryption.Key);
        var bytes = new ArrayBufferWriter<byte>(beginning.Length + frames.Length + encryption.Header.Bytes.Length + (1 << 10));
        bytes.Write(encryption.Header.Bytes);
        bytes.Write(writer.Nonce.Span);
        bytes.Write(writer.Encrypt(beginning));
        bytes.Write(writer.Encrypt(frames));
        bytes.Write(writer.Finish());
        return bytes.WrittenSpan.ToArray();
    }
}
