using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Encryption.Age;
using SignalHarvester.Backup.Formats.Pipeline;
using SignalHarvester.Backup.Sqlite.Snapshot;

namespace SignalHarvester.Backup.Continuous.Stream;

/// <summary>Reads segments, and checks everything that they say.</summary>
internal static class SegmentReader
{
    private const int LargestFrame = 4 << 20;

    private static ReadOnlySpan<byte> AgeBeginning => "age-encryption.org/"u8;

    /// <summary>Whether a segment is encrypted, by its first bytes.</summary>
    public static bool IsEncrypted(ReadOnlySpan<byte> beginning) => beginning.StartsWith(AgeBeginning);

    /// <summary>Reads the header of a segment.</summary>
    /// <param name="name">The segment's name.</param>
    /// <param name="beginning">The first bytes of the segment.</param>
    /// <param name="identities">The secrets that may open it.</param>
    /// <returns>Null if the header goes on after these bytes.</returns>
    /// <exception cref="BackupException">IdentityMissing, IdentityWrong.</exception>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    /// <exception cref="NotSupportedException">A later version made it.</exception>
    public static SegmentHeader? TryReadHeader(SegmentName name, ReadOnlyMemory<byte> beginning, IdentityRing identities)
    {
        var plain = (IsEncrypted(beginning.Span) ? DecryptBeginning(name, beginning, identities) : beginning).Span;
        if (plain.Length < SegmentHeaderFormat.LengthBytes || SegmentHeaderFormat.LengthOf(plain) is var length && length > plain.Length)
        {
            return null;
        }

        return Named(name, SegmentHeaderFormat.Read(plain[..length], out _));
    }

    /// <summary>Reads a whole segment.</summary>
    /// <param name="name">The segment's name.</param>
    /// <param name="stored">Its bytes.</param>
    /// <param name="identities">The secrets that may open it.</param>
    /// <exception cref="BackupException">IdentityMissing, IdentityWrong.</exception>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    /// <exception cref="NotSupportedException">A later version made it.</exception>
    public static SegmentContent Read(SegmentName name, ReadOnlyMemory<byte> stored, IdentityRing identities)
    {
        var plain = IsEncrypted(stored.Span) ? Decrypt(name, stored, identities) : stored;
        var length = SegmentHeaderFormat.LengthOf(plain.Span);
        if (length > plain.Length)
        {
            throw new InvalidDataException("The segment is cut short.");
        }

        var header = Named(name, SegmentHeaderFormat.Read(plain.Span[..length], out var sum));
        var frames = plain[length..];
        return XxHash64.HashToUInt64(frames.Span) == sum
            ? new SegmentContent(header, ReadLog(header, Unpack(header, frames)), IsEncrypted(stored.Span))
            : throw new InvalidDataException("The content of the segment does not have the checksum in its header.");
    }

    private static SegmentHeader Named(SegmentName name, SegmentHeader header) => header.Timeline == name.Timeline && header.Number == name.Number
        ? header
        : throw new InvalidDataException(string.Create(
            CultureInfo.InvariantCulture, $"It is the segment {header.Number} of timeline {header.Timeline}, under the name of another one."));

    private static byte[] Unpack(SegmentHeader header, ReadOnlyMemory<byte> frames)
    {
        // A header may name any number of pages: memory is taken for what the frames hold.
        var pieces = new List<(int Stored, int Plain)>();
        var length = 0L;
        for (var rest = frames.Span; !rest.IsEmpty; rest = rest[pieces[^1].Stored..])
        {
            if (ZstdFrames.Measure(rest) is not (var stored, var plain) || plain > LargestFrame || !ZstdFrames.IsChecked(rest[..stored], plain))
            {
                throw new InvalidDataException("A frame of the segment is damaged.");
            }

            pieces.Add((stored, plain));
            length += plain;
        }

        if (length > Array.MaxLength)
        {
            throw new InvalidDataException("The segment is too large.");
        }

        // The pages of as many transactions as a header has room for are within a long; their bytes are not.
        var pages = header.Commits.Sum(commit => commit.Pages);
        if (pages > length / header.PageSize || WalFormat.FrameOffset(pages + 1, header.PageSize) != length)
        {
            throw new InvalidDataException("The log in the segment has not the pages that its header names.");
        }

        using var decompressor = ZstdFrames.Decompressor();
        var log = new byte[length];
        var (taken, filled) = (0, 0);
        foreach (var (stored, plain) in pieces)
        {
            decompressor.Unpack(frames.Slice(taken, stored).ToArray(), log.AsSpan(filled, plain));
            (taken, filled) = (taken + stored, filled + plain);
        }

        return log;
    }

    private static List<FollowedCommit> ReadLog(SegmentHeader header, ReadOnlyMemory<byte> log)
    {
        var start = log.Span;
        var isBigEndian = WalFormat.HasBigEndianChecksums(start);
        var checksum = WalFormat.Checksum(start[..24], isBigEndian, default);
        if (!WalFormat.IsWal(start) || BinaryPrimitives.ReadInt32BigEndian(start[8..]) != header.PageSize || WalFormat.ReadChecksum(start[24..]) != checksum)
        {
            throw new InvalidDataException("The header of the log in the segment is damaged.");
        }

        var salts = WalFormat.Salts(start[16..]);
        var commits = new List<FollowedCommit>(header.Commits.Count);
        var digest = header.Previous;
        var offset = WalFormat.HeaderSize;
        foreach (var commit in header.Commits)
        {
            var pages = new FollowedPage[commit.Pages];
            for (var index = 0; index < pages.Length; index++)
            {
                var frame = log.Span.Slice(offset, WalFormat.FrameHeaderSize + header.PageSize);
                checksum = WalFormat.Checksum(frame[..8], isBigEndian, checksum);
                checksum = WalFormat.Checksum(frame[WalFormat.FrameHeaderSize..], isBigEndian, checksum);
                var page = BinaryPrimitives.ReadUInt32BigEndian(frame);
                if (page == 0 || WalFormat.Salts(frame[8..]) != salts || WalFormat.ReadChecksum(frame[16..]) != checksum
                    || BinaryPrimitives.ReadUInt32BigEndian(frame[4..]) != (index == pages.Length - 1 ? commit.PageCount : 0))
                {
                    throw new InvalidDataException("A frame of the log in the segment is damaged, or contradicts the header.");
                }

                pages[index] = new FollowedPage(page, log.Slice(offset + WalFormat.FrameHeaderSize, header.PageSize));
                offset += frame.Length;
            }

            digest = digest.After(commit.PageCount, pages);
            commits.Add(digest == commit.Digest
                ? new FollowedCommit(commit.Number, commit.Time, commit.Earliest, commit.PageCount, pages, digest)
                : throw new InvalidDataException("A transaction of the segment does not have the digest in its header."));
        }

        return commits;
    }

    private static byte[] Decrypt(SegmentName name, ReadOnlyMemory<byte> stored, IdentityRing identities)
    {
        var (key, start) = Open(name, stored, identities) ?? throw AgeDamage.Of("The encrypted content is cut short.");
        var done = start;
        using var reader = new AgeReader(buffer =>
        {
            var count = Math.Min(buffer.Length, stored.Length - done);
            stored.Span.Slice(done, count).CopyTo(buffer);
            done += count;
            return count;
        }, stored.Length - start, key);
        var plain = new byte[stored.Length - start];
        var length = 0;
        while (reader.Read(plain.AsSpan(length)) is var count and > 0)
        {
            length += count;
        }

        return plain[..length];
    }

    /// <summary>
    /// Decrypts the pieces that are whole. The last one of the file is not asked for: a header that is whole and authentic needs no proof of what
    /// comes after it.
    /// </summary>
    private static byte[] DecryptBeginning(SegmentName name, ReadOnlyMemory<byte> beginning, IdentityRing identities)
    {
        if (Open(name, beginning, identities) is not (var key, var start))
        {
            return [];
        }

        using var pieces = new AgePieces(key);
        var count = (beginning.Length - start) / (AgePayload.PieceBytes + AgePayload.TagSize);
        var plain = new byte[count * AgePayload.PieceBytes];
        for (var piece = 0; piece < count; piece++)
        {
            var stored = beginning.Span.Slice(start + (piece * (AgePayload.PieceBytes + AgePayload.TagSize)), AgePayload.PieceBytes + AgePayload.TagSize);
            _ = pieces.Decrypt(piece, isLast: false, stored, plain.AsSpan(piece * AgePayload.PieceBytes));
        }

        return plain;
    }

    private static (byte[] Key, int Start)? Open(SegmentName name, ReadOnlyMemory<byte> stored, IdentityRing identities)
    {
        var header = AgeHeader.TryRead(count => stored[..Math.Min(count, stored.Length)].ToArray())
            ?? throw AgeDamage.Of("The content is not encrypted, but its name says so.");
        var start = header.Bytes.Length + AgePayload.NonceSize;
        return start > stored.Length
            ? null
            : (identities.Open(header, name.ToString()).PayloadKey(stored.Span[header.Bytes.Length..start]), start);
    }
}
