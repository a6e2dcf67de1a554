using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Operations;
using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.Chains;

/// <summary>
/// Puts an image together from a chain: the newest increment first, the full backup last, so that each page is written
/// once, from its newest version.
/// </summary>
internal sealed class ChainReader
{
    private const int TailBytes = 1 << 20;

    private readonly OpenChain chain;
    private readonly IImageTarget target;
    private readonly ProgressMeter meter;
    private readonly CancellationToken cancellation;
    private readonly int pageSize;
    private readonly long imageLength;
    private readonly PageSet taken;

    private ChainReader(OpenChain chain, IImageTarget target, ProgressMeter meter, CancellationToken cancellation)
    {
        this.chain = chain;
        this.target = target;
        this.meter = meter;
        this.cancellation = cancellation;
        pageSize = chain.Backup.PageSize!.Value;
        imageLength = chain.Backup.PageCount!.Value * pageSize;
        taken = new PageSet(chain.Backup.PageCount.Value);
    }

    /// <summary>Reads a chain.</summary>
    /// <param name="chain">The open files.</param>
    /// <param name="target">Where the image goes; null to throw it away, which takes a backup that stands by itself.</param>
    /// <param name="meter">Counts the content of the full backup, and the stored bytes of the increments.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="ChainDamagedException">A link's content is damaged.</exception>
    public static ChainContent Read(OpenChain chain, IImageTarget? target, ProgressMeter meter, CancellationToken cancellation)
    {
        if (chain.IsSingle)
        {
            return ReadSingle(chain, target, meter, cancellation);
        }

        return new ChainReader(chain, target!, meter, cancellation).Read();
    }

    /// <summary>Reads one increment.</summary>
    /// <param name="backup">The increment.</param>
    /// <param name="file">Its file.</param>
    /// <param name="takePage">Called with each page and its content, in the log's order.</param>
    /// <param name="meter">Counts stored bytes; null where nobody watches.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="InvalidDataException">The increment is damaged.</exception>
    public static (StoredFile File, string WalChecksum) ReadIncrement(
        BackupMetadata backup, SafeFileHandle file, PageTaker takePage, ProgressMeter? meter, CancellationToken cancellation)
    {
        var (pageSize, pageCount) = (backup.PageSize!.Value, backup.PageCount!.Value);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var wal = new WalReader(pageSize, pageCount, takePage);
        var read = StoredFile.Read(
            file,
            // Every page once, each with its frame's header.
            WalFormat.FrameOffset(pageCount + 1, pageSize),
            _ => { },
            chunk =>
            {
                hash.AppendData(chunk.PlainSpan);
                wal.Take(chunk.PlainSpan);
                meter?.Advance(chunk.StoredSpan.Length);
            },
            cancellation);
        wal.Finish();
        return (read, Hex(hash));
    }

    private static ChainContent ReadSingle(OpenChain chain, IImageTarget? target, ProgressMeter meter, CancellationToken cancellation)
    {
        var (backup, file) = chain.Links[0];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        try
        {
            var read = StoredFile.Read(
                file,
                backup.DatabaseSize ?? long.MaxValue,
                chunk => target?.Write(chunk.PlainSpan, chunk.PlainOffset),
                chunk =>
                {
                    hash.AppendData(chunk.PlainSpan);
                    meter.Advance(chunk.PlainLength);
                },
                cancellation);
            return new ChainContent([read], read.PlainLength, Hex(hash), WalChecksum: null);
        }
        catch (InvalidDataException exception)
        {
            throw new ChainDamagedException(backup, exception);
        }
    }

    private ChainContent Read()
    {
        target.SetLength(imageLength);
        var files = new StoredFile[chain.Links.Count];
        string? walChecksum = null;
        for (var index = chain.Links.Count - 1; index >= 0; index--)
        {
            var (backup, file) = chain.Links[index];
            try
            {
                if (index > 0)
                {
                    (files[index], var checksum) = ReadIncrement(backup, file, TakePage, meter, cancellation);
                    walChecksum ??= checksum;
                }
                else
                {
                    (files[0], var checksum) = ReadFull(backup, file);
                    return new ChainContent(files, imageLength, checksum, walChecksum);
                }
            }
            catch (InvalidDataException exception)
            {
                throw new ChainDamagedException(backup, exception);
            }
        }

        throw new InvalidOperationException("A chain ends with its full backup.");
    }

    private void TakePage(long page, ReadOnlySpan<byte> content)
    {
        if (page <= taken.PageCount && taken.Add(page))
        {
            target.Write(content, (page - 1) * pageSize);
        }
    }

    private (StoredFile File, string ImageChecksum) ReadFull(BackupMetadata backup, SafeFileHandle file)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var read = StoredFile.Read(
            file,
            backup.DatabaseSize ?? long.MaxValue,
            chunk => Lay(Used(chunk), chunk.PlainOffset),
            chunk =>
            {
                hash.AppendData(Used(chunk));
                meter.Advance(chunk.PlainLength);
            },
            cancellation);
        var tail = new byte[TailBytes];
        for (var offset = read.PlainLength; offset < imageLength; offset += tail.Length)
        {
            cancellation.ThrowIfCancellationRequested();
            var bytes = tail.AsSpan(0, (int)Math.Min(tail.Length, imageLength - offset));
            target.Read(bytes, offset);
            hash.AppendData(bytes);
        }

        return (read, Hex(hash));
    }

    /// <summary>What of a chunk is part of the image: the full backup may have been longer.</summary>
    private Span<byte> Used(Chunk chunk) => chunk.PlainSpan[..(int)Math.Clamp(imageLength - chunk.PlainOffset, 0, chunk.PlainLength)];

    /// <summary>Writes the pages that no increment has, and takes over those that one has.</summary>
    private void Lay(Span<byte> bytes, long offset)
    {
        for (var start = 0; start < bytes.Length;)
        {
            var isTaken = IsTaken(offset + start);
            var end = start;
            do
            {
                // A piece of content need not begin or end with a page.
                end = (int)Math.Min(((((offset + end) / pageSize) + 1) * pageSize) - offset, bytes.Length);
            }
            while (end < bytes.Length && IsTaken(offset + end) == isTaken);

            var run = bytes[start..end];
            if (isTaken)
            {
                target.Read(run, offset + start);
            }
            else
            {
                target.Write(run, offset + start);
            }

            start = end;
        }

        bool IsTaken(long position) => taken.Contains((position / pageSize) + 1);
    }

    private static string Hex(IncrementalHash hash) => Convert.ToHexStringLower(hash.GetHashAndReset());
}
