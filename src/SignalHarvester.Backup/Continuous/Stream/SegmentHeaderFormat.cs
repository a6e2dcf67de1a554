using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using SignalHarvester.Backup.Formats;

namespace SignalHarvester.Backup.Continuous.Stream;

/// <summary>
/// The bytes of a segment's header: a frame that every reader of zstd skips. docs/FORMAT.md describes them. XXH64 of the frames that follow
/// is in it, and XXH64 of itself at its end, so that no bit of a segment changes unnoticed.
/// </summary>
internal static class SegmentHeaderFormat
{
    /// <summary>Bytes of a header that say how long it is.</summary>
    public const int LengthBytes = 8;

    private const uint SkippableMagic = 0x184D2A5C;
    private const byte Major = 1;
    private const byte Minor = 0;
    private const int SumSize = sizeof(ulong);
    private const int MarkSize = 4;
    private const int FixedBytes = LengthBytes + MarkSize + 2 + SumSize;
    private const int LargestHeader = 64 << 20;
    private const int LongestText = 1 << 16;

    private static ReadOnlySpan<byte> Mark => "SHSG"u8;

    /// <summary>Writes a header.</summary>
    /// <param name="header">What it says.</param>
    /// <param name="frames">The frames that follow it.</param>
    public static byte[] Write(SegmentHeader header, ReadOnlySpan<byte> frames)
    {
        var fields = new ArrayBufferWriter<byte>();
        Number((long)header.Kind);
        Number(header.Timeline);
        Number(header.Number);
        Number(header.FirstTransaction);
        Number(header.LastTransaction);
        Number(header.Time.ToUnixTimeMilliseconds());
        Number(header.PageSize);
        Number(header.PageCount);
        Digest(header.Previous);
        Digest(header.Digest);
        switch (header.Kind)
        {
            case SegmentKind.Commits:
                Commits(header.Commits);
                break;
            case SegmentKind.Base:
                Number((long)header.Reason!.Value);
                Text(header.BackupId!);
                Text(header.DatabasePath!);
                break;
            default:
                Number(header.NextTimeline!.Value);
                Digest(new StreamDigest(header.Sealer));
                break;
        }

        var bytes = new byte[FixedBytes + fields.WrittenCount + SumSize];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, SkippableMagic);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), bytes.Length - LengthBytes);
        Mark.CopyTo(bytes.AsSpan(LengthBytes));
        bytes[LengthBytes + MarkSize] = Major;
        bytes[LengthBytes + MarkSize + 1] = Minor;
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(FixedBytes - SumSize), XxHash64.HashToUInt64(frames));
        fields.WrittenSpan.CopyTo(bytes.AsSpan(FixedBytes));
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(bytes.Length - SumSize), XxHash64.HashToUInt64(bytes.AsSpan(0, bytes.Length - SumSize)));
        return bytes;

        void Number(long number) => Leb128.Write(fields, (ulong)number);

        void Digest(StreamDigest digest)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(fields.GetSpan(sizeof(ulong)), digest.Value);
            fields.Advance(sizeof(ulong));
        }

        void Text(string text)
        {
            var encoded = Encoding.UTF8.GetBytes(text);
            Number(encoded.Length);
            fields.Write(encoded);
        }

        void Commits(IReadOnlyList<SegmentCommit> commits)
        {
            Number(commits.Count);
            var (time, pageCount) = (0L, 0L);
            foreach (var commit in commits)
            {
                var now = commit.Time.ToUnixTimeMilliseconds();
                Number(now - time);
                Number(now - commit.Earliest.ToUnixTimeMilliseconds());
                Number(commit.Pages);

                // The sign in the lowest bit: a database grows and shrinks by little.
                var grown = commit.PageCount - pageCount;
                Number((grown << 1) ^ (grown >> 63));
                Digest(commit.Digest);
                (time, pageCount) = (now, commit.PageCount);
            }
        }
    }

    /// <summary>Returns the length of the header that begins here, or throws if none does.</summary>
    /// <param name="beginning">The first <see cref="LengthBytes"/> bytes of a segment, at least.</param>
    /// <exception cref="InvalidDataException">It is no segment.</exception>
    public static int LengthOf(ReadOnlySpan<byte> beginning) =>
        beginning.Length >= LengthBytes && BinaryPrimitives.ReadUInt32LittleEndian(beginning) == SkippableMagic
        && BinaryPrimitives.ReadUInt32LittleEndian(beginning[4..]) is >= FixedBytes + SumSize - LengthBytes and <= LargestHeader - LengthBytes and var length
            ? (int)length + LengthBytes
            : throw Damaged();

    /// <summary>Reads a header.</summary>
    /// <param name="bytes">The header, whole.</param>
    /// <param name="sumOfFrames">XXH64 of the frames that follow it.</param>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    /// <exception cref="NotSupportedException">A later version made it.</exception>
    public static SegmentHeader Read(ReadOnlySpan<byte> bytes, out ulong sumOfFrames)
    {
        if (!bytes[LengthBytes..].StartsWith(Mark) || BinaryPrimitives.ReadUInt64LittleEndian(bytes[^SumSize..]) != XxHash64.HashToUInt64(bytes[..^SumSize]))
        {
            throw Damaged();
        }

        if (bytes[LengthBytes + MarkSize] != Major)
        {
            throw new NotSupportedException();
        }

        sumOfFrames = BinaryPrimitives.ReadUInt64LittleEndian(bytes[(FixedBytes - SumSize)..]);
        var fields = new Fields(bytes[FixedBytes..^SumSize]);
        var header = new SegmentHeader
        {
            Kind = (SegmentKind)fields.Number((long)SegmentKind.Commits, (long)SegmentKind.Seal),
            Timeline = (int)fields.Number(1, int.MaxValue),
            Number = fields.Number(1, long.MaxValue),
            FirstTransaction = fields.Number(0, long.MaxValue),
            LastTransaction = fields.Number(0, long.MaxValue - 1),
            Time = fields.Time(),
            PageSize = (int)fields.Number(512, 65536),
            PageCount = (uint)fields.Number(0, uint.MaxValue),
            Previous = fields.Digest(),
            Digest = fields.Digest(),
        };

        // What a later minor version appends to these fields is not read.
        return header.FirstTransaction > header.LastTransaction + 1 ? throw Damaged() : header.Kind switch
        {
            SegmentKind.Commits => header with { Commits = fields.Commits(header) },
            SegmentKind.Base => header with
            {
                Reason = (BaseReason)fields.Number((long)BaseReason.Start, (long)BaseReason.Takeover),
                BackupId = fields.Text(),
                DatabasePath = fields.Text(),
            },
            _ => header with { NextTimeline = (int)fields.Number(1, int.MaxValue), Sealer = fields.Digest().Value },
        };
    }

    private static InvalidDataException Damaged() => new("The header of the segment is damaged.");

    /// <summary>Takes one field after another.</summary>
    private ref struct Fields(ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> rest = bytes;

        public long Number(long least, long most) =>
            Leb128.TryRead(ref rest, out var number) && number <= long.MaxValue && (long)number >= least && (long)number <= most
                ? (long)number
                : throw Damaged();

        public DateTimeOffset Time() => DateTimeOffset.FromUnixTimeMilliseconds(Number(0, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()));

        public StreamDigest Digest()
        {
            if (rest.Length < sizeof(ulong))
            {
                throw Damaged();
            }

            var digest = new StreamDigest(BinaryPrimitives.ReadUInt64LittleEndian(rest));
            rest = rest[sizeof(ulong)..];
            return digest;
        }

        public string Text()
        {
            var length = (int)Number(0, LongestText);
            if (length > rest.Length)
            {
                throw Damaged();
            }

            var text = Encoding.UTF8.GetString(rest[..length]);
            rest = rest[length..];
            return text;
        }

        public List<SegmentCommit> Commits(SegmentHeader header)
        {
            // Each takes twelve bytes at least, so a number that is not true makes no room for itself.
            var count = (int)Number(1, rest.Length / (4 + sizeof(ulong)));
            if (count != header.LastTransaction - header.FirstTransaction + 1)
            {
                throw Damaged();
            }

            var commits = new List<SegmentCommit>(count);
            var (time, pageCount) = (0L, 0L);
            for (var index = 0; index < count; index++)
            {
                time += Number(0, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() - time);
                var unseen = Number(0, time);
                var pages = Number(1, uint.MaxValue);
                var grown = Number(0, 1L << 33);
                pageCount += (grown >> 1) ^ -(grown & 1);
                if (pageCount is < 1 or > uint.MaxValue)
                {
                    throw Damaged();
                }

                var (seen, earliest) = (DateTimeOffset.FromUnixTimeMilliseconds(time), DateTimeOffset.FromUnixTimeMilliseconds(time - unseen));
                commits.Add(new SegmentCommit(header.FirstTransaction + index, seen, earliest, pages, (uint)pageCount, Digest()));
            }

            var last = commits[^1];
            return last.PageCount == header.PageCount && last.Time == header.Time && last.Digest == header.Digest ? commits : throw Damaged();
        }
    }
}
