using SignalHarvester.Backup.Storage.Ownership;

namespace SignalHarvester.Backup.Storage;

/// <summary>Copies a file in blocks, so that the copy can be cancelled, and flushes it to disk.</summary>
internal static class BlockCopy
{
    private const int BlockBytes = 1 << 20;

    /// <summary>Copies a whole file, with its mode and owner, to a new file.</summary>
    /// <exception cref="OperationCanceledException">The copy was cancelled; a part of it remains.</exception>
    public static void Run(string from, string to, CancellationToken cancellation)
    {
        using var source = RegularFile.Open(from, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
        using var target = DurableFile.CreatePrivate(to, FileShare.None);
        var block = new byte[BlockBytes];
        for (long offset = 0; RandomAccess.Read(source, block, offset) is var read and > 0; offset += read)
        {
            cancellation.ThrowIfCancellationRequested();
            RandomAccess.Write(target, block.AsSpan(0, read), offset);
        }

        if (FileOwnership.Read(source, from) is { } access)
        {
            _ = FileOwnership.Give(target, access);
        }

        RandomAccess.FlushToDisk(target);
    }
}
