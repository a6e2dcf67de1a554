using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Formats.Pipeline;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>
/// An image assembled over a database that nobody can change meanwhile. Equal pages stay where they are, and only the differing
/// ones are kept, in a sparse file.
/// </summary>
/// <param name="database">The database's file, as SQLite has it open.</param>
/// <param name="pageSize">The bytes in a page of either.</param>
/// <param name="pageCount">The pages of the image.</param>
/// <param name="differing">The file for the differing pages. The caller keeps it.</param>
internal sealed class DeltaImage(SqliteFile database, int pageSize, long pageCount, SafeFileHandle differing) : IImageTarget
{
    // SQLite's file methods allow only one thread at a time.
    private readonly Lock gate = new();
    private readonly long databaseLength = database.Length;
    private readonly byte[] present = new byte[Chunk.ImageBytes];

    /// <summary>The differing pages.</summary>
    public PageSet Differing { get; } = new(pageCount);

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        if (offset % pageSize != 0 || bytes.Length % pageSize != 0)
        {
            throw new InvalidDataException("The backup's size is not a multiple of its page size.");
        }

        lock (gate)
        {
            for (var done = 0; done < bytes.Length; done += present.Length)
            {
                Compare(bytes.Slice(done, Math.Min(present.Length, bytes.Length - done)), offset + done);
            }
        }
    }

    /// <summary>Reads the image: the differing pages from their file, the rest from the database.</summary>
    public void Read(Span<byte> buffer, long offset)
    {
        lock (gate)
        {
            while (!buffer.IsEmpty)
            {
                var page = (offset / pageSize) + 1;
                var part = buffer[..(int)Math.Min(buffer.Length, (page * pageSize) - offset)];
                if (Differing.Contains(page))
                {
                    ReadDiffering(part, offset);
                }
                else
                {
                    ReadPresent(part, offset);
                }

                buffer = buffer[part.Length..];
                offset += part.Length;
            }
        }
    }

    private void Compare(ReadOnlySpan<byte> bytes, long offset)
    {
        var now = present.AsSpan(0, bytes.Length);
        var known = ReadPresent(now, offset);
        for (var start = 0; start < bytes.Length; start += pageSize)
        {
            var page = bytes.Slice(start, pageSize);
            var isLockPage = offset + start == DatabaseHeader.LockByteOffset;
            if (!isLockPage && (start + pageSize > known || !page.SequenceEqual(now.Slice(start, pageSize))))
            {
                _ = Differing.Add(((offset + start) / pageSize) + 1);
                PieceWriter.Write(differing, page, offset + start);
            }
        }
    }

    /// <summary>Reads from the database, with zeros behind its end.</summary>
    /// <returns>How many of the bytes the database has.</returns>
    private int ReadPresent(Span<byte> buffer, long offset)
    {
        var known = (int)Math.Clamp(databaseLength - offset, 0, buffer.Length);
        buffer[known..].Clear();
        var lockOffset = DatabaseHeader.LockByteOffset - offset;
        if (known > 0)
        {
            _ = database.Read(offset, buffer[..known]);
        }

        if (lockOffset >= 0 && lockOffset < buffer.Length)
        {
            buffer.Slice((int)lockOffset, Math.Min(pageSize, buffer.Length - (int)lockOffset)).Clear();
        }

        return known;
    }

    private void ReadDiffering(Span<byte> buffer, long offset)
    {
        if (differing.ReadFully(buffer, offset) < buffer.Length)
        {
            throw new EndOfStreamException("The temporary file of differing pages is shorter than the data written to it.");
        }
    }
}
