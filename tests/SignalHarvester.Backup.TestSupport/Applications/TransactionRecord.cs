using System.Buffers.Binary;

namespace SignalHarvester.Backup.TestSupport.Applications;

/// <summary>A transaction in an application's journal.</summary>
/// <param name="Number">Its number, from 1.</param>
/// <param name="Digest">The digest of all items as it left them.</param>
/// <param name="Before">The time right before its commit.</param>
/// <param name="After">The time right after its commit; null if the process died, or the commit failed, in between.</param>
public sealed record TransactionRecord(long Number, long Digest, DateTimeOffset Before, DateTimeOffset? After)
{
    private const int Size = 32;

    /// <summary>Reads all records of a journal.</summary>
    public static IReadOnlyList<TransactionRecord> Read(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var record = new byte[Size];
        List<TransactionRecord> records = [];
        while (file.ReadAtLeast(record, Size, throwOnEndOfStream: false) == Size)
        {
            var after = BinaryPrimitives.ReadDoubleLittleEndian(record.AsSpan(24));
            records.Add(new TransactionRecord(
                BinaryPrimitives.ReadInt64LittleEndian(record),
                BinaryPrimitives.ReadInt64LittleEndian(record.AsSpan(8)),
                Time(BinaryPrimitives.ReadDoubleLittleEndian(record.AsSpan(16))),
                after > 0 ? Time(after) : null));
        }

        return records;
    }

    /// <summary>Cuts off all records after the first ones, as of a future that a database does not have any more.</summary>
    /// <param name="path">The journal.</param>
    /// <param name="count">The number of records that stay.</param>
    public static void Truncate(string path, int count)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.SetLength(count * (long)Size);
    }

    private static DateTimeOffset Time(double seconds) => DateTimeOffset.UnixEpoch.AddSeconds(seconds);
}
