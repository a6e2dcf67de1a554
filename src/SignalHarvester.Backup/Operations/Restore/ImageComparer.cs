using System.Buffers.Binary;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Snapshot;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>Compares a restored database with its image, page by page.</summary>
internal static class ImageComparer
{
    private const int Batch = 1 << 20;

    private const int PageCountOffset = 28;

    // The fields that SQLite itself sets on page 1 when it copies: the journal mode's two version bytes, change counter, schema
    // cookie, and the version-valid-for and library-version numbers.
    private static readonly (int Offset, int Length)[] OwnFields = [(18, 2), (24, 4), (40, 4), (92, 8)];

    /// <summary>Returns the first page that differs; null if the databases are equal.</summary>
    /// <exception cref="BackupException">SourceLocked: others have locked the database.</exception>
    /// <exception cref="SnapshotLostException">The restored database could not be kept from changing.</exception>
    public static long? FirstDifference(string imagePath, string databasePath, TimeSpan lockTimeout, CancellationToken cancellation)
    {
        using var database = LiveDatabase.Open(databasePath, lockTimeout, tolerateDamage: false, cancellation);
        using var restored = database.PinImage(cancellation);
        using var image = File.OpenHandle(imagePath, FileMode.Open, FileAccess.Read, FileShare.Read, FileOptions.SequentialScan);
        if (RandomAccess.GetLength(image) != restored.Length)
        {
            return 1;
        }

        var expected = new byte[Batch];
        var found = new byte[Batch];
        var pagesABatch = Batch / restored.PageSize;
        for (long page = 1; page <= restored.PageCount; page += pagesABatch)
        {
            cancellation.ThrowIfCancellationRequested();
            var length = (int)Math.Min(pagesABatch, restored.PageCount - page + 1) * restored.PageSize;
            var offset = (page - 1) * restored.PageSize;
            if (image.ReadFully(expected.AsSpan(0, length), offset) < length)
            {
                throw new EndOfStreamException("The unpacked image is shorter than the data written to it.");
            }

            restored.Read(page, found.AsSpan(0, length));
            if (page == 1)
            {
                if (DatabaseHeader.PageCount(expected) == 0)
                {
                    // Writers before SQLite 3.7 leave no valid page count. SQLite then uses the file's length, and writes that count into a copy.
                    BinaryPrimitives.WriteUInt32BigEndian(expected.AsSpan(PageCountOffset), (uint)restored.PageCount);
                }

                foreach (var (start, count) in OwnFields)
                {
                    expected.AsSpan(start, count).Clear();
                    found.AsSpan(start, count).Clear();
                }
            }

            var same = expected.AsSpan(0, length).CommonPrefixLength(found.AsSpan(0, length));
            if (same < length)
            {
                return page + (same / restored.PageSize);
            }
        }

        return null;
    }
}
