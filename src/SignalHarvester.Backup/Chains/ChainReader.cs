using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Formats.Pipeline;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite.Snapshot;

namespace SignalHarvester.Backup.Chains;

/// <summary>
/// Puts an image together from a chain. It reads the newest increment first, so that each page comes from its newest version,
/// and the full backup last, whose pieces get the taken pages laid over them. So the image is written once, from front to back.
/// </summary>
/// <remarks>
/// If the pages of 30 increments were written straight to their places in the image, that would cost a restore more than
/// everything else: the disk would get 80,000 single pages, and the file as many extents.
/// </remarks>
internal sealed class ChainReader
{
    private const int TailBytes = 1 << 20;

    private readonly OpenChain chain;
    private readonly IImageTarget target;
    private readonly TakenPages taken;
    private readonly ProgressMeter meter;
    private readonly CancellationToken cancellation;
    private readonly long imageLength;

    private ChainReader(OpenChain chain, IImageTarget target, TakenPages taken, ProgressMeter meter, CancellationToken cancellation)
    {
        this.chain = chain;
        this.target = target;
        this.taken = taken;
        this.meter = meter;
        this.cancellation = cancellation;
        imageLength = chain.Backup.PageCount!.Value * chain.Backup.PageSize!.Value;
    }

    /// <summary>Reads a chain.</summary>
    /// <param name="chain">The open files.</param>
    /// <param name="target">Where the image goes; null to discard it, which only a backup that builds on no other allows.</param>
    /// <param name="folder">A private folder for the pages of the increments; null for a backup that builds on no other.</param>
    /// <param name="meter">Counts the content of the full backup, and the stored bytes of the increments.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="ChainDamagedException">A link's content is damaged.</exception>
    public static ChainContent Read(OpenChain chain, IImageTarget? target, string? folder, ProgressMeter meter, CancellationToken cancellation)
    {
        if (chain.IsSingle)
        {
            return ReadSingle(chain, target, meter, cancellation);
        }

        using var taken = new TakenPages(folder!, chain.Backup.PageSize!.Value, chain.Backup.PageCount!.Value);
        return new ChainReader(chain, target!, taken, meter, cancellation).Read();
    }

    /// <summary>Reads one increment.</summary>
    /// <param name="backup">The increment.</param>
    /// <param name="file">Its file.</param>
    /// <param name="identities">The secrets that may open it, if it is encrypted.</param>
    /// <param name="takePage">Called with each page and its content, in the log's order.</param>
    /// <param name="meter">Counts stored bytes; null if nobody watches.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="InvalidDataException">The increment is damaged.</exception>
    public static (ReadResult File, string WalChecksum) ReadIncrement(
        BackupMetadata backup, SafeFileHandle file, IdentityRing identities, PageTaker takePage, ProgressMeter? meter, CancellationToken cancellation)
    {
        var (pageSize, pageCount) = (backup.PageSize!.Value, backup.PageCount!.Value);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var wal = new WalReader(pageSize, pageCount, takePage);
        var read = StoredFileReader.Read(
            file,
            identities,
            backup,
            // At most: every page once, each with its frame's header.
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
        using var hash = chain.Written is null ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
        var sum = chain.Written?.Begin();
        try
        {
            var read = StoredFileReader.Read(
                file,
                chain.Identities,
                backup,
                backup.DatabaseSize ?? long.MaxValue,
                chunk => target?.Write(chunk.PlainSpan, chunk.PlainOffset),
                chunk =>
                {
                    hash?.AppendData(chunk.PlainSpan);
                    sum?.Append(chunk.PlainSpan);
                    meter.Advance(chunk.PlainLength);
                },
                cancellation);
            return new ChainContent([read], read.PlainLength, hash is null ? null : Hex(hash), WalChecksum: null)
            {
                IsAsWritten = sum is null ? null : chain.Written!.IsOf(sum),
            };
        }
        catch (InvalidDataException exception)
        {
            throw new ChainDamagedException(backup, exception);
        }
    }

    private ChainContent Read()
    {
        var (files, walChecksum) = IncrementsReader.Read(chain, taken.Add, meter, cancellation);
        taken.Complete();
        var (full, file) = chain.Links[0];
        try
        {
            var (read, checksum) = ReadFull(full, file);
            return new ChainContent([read, .. files], imageLength, checksum, walChecksum);
        }
        catch (InvalidDataException exception)
        {
            throw new ChainDamagedException(full, exception);
        }
    }

    private (ReadResult File, string ImageChecksum) ReadFull(BackupMetadata backup, SafeFileHandle file)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var read = StoredFileReader.Read(
            file,
            chain.Identities,
            backup,
            backup.DatabaseSize ?? long.MaxValue,
            chunk => WriteOverlaid(Used(chunk), chunk.PlainOffset),
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
            bytes.Clear();
            WriteOverlaid(bytes, offset);
            hash.AppendData(bytes);
        }

        return (read, Hex(hash));
    }

    /// <summary>Returns the part of a chunk that belongs to the image: the full backup may have been longer.</summary>
    private Span<byte> Used(Chunk chunk) => chunk.PlainSpan[..(int)Math.Clamp(imageLength - chunk.PlainOffset, 0, chunk.PlainLength)];

    /// <summary>Lays the taken pages over a piece of content, and writes the piece.</summary>
    private void WriteOverlaid(Span<byte> bytes, long offset)
    {
        taken.Overlay(bytes, offset);
        target.Write(bytes, offset);
    }

    private static string Hex(IncrementalHash hash) => Convert.ToHexStringLower(hash.GetHashAndReset());
}
