using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Formats.Seekable;

/// <summary>
/// Unpacked frames in a private temporary file, for a reader that keeps coming back to them. The file takes at most as much room as the
/// whole content, and leaves the disk some; without room, frames are unpacked again each time.
/// </summary>
/// <param name="parents">The folders to make the private one in, the best first.</param>
internal sealed class UnpackedFrames(IReadOnlyList<string> parents) : IDisposable
{
    private const long LargestReserve = 256L << 20;

    private readonly Lock gate = new();
    private readonly Dictionary<SeekableContent, KeptFile> files = [];
    private TemporaryFolder? folder;
    private long room = -1;

    /// <summary>Copies bytes of a kept frame; false if the frame is not kept.</summary>
    public bool TryRead(SeekableContent content, int frame, int from, Span<byte> into)
    {
        SafeFileHandle file;
        lock (gate)
        {
            if (!files.TryGetValue(content, out var kept) || !kept.Kept[frame])
            {
                return false;
            }

            file = kept.File;
        }

        return file.ReadFully(into, content.OffsetOf(frame) + from) == into.Length;
    }

    /// <summary>Keeps a frame, if there is room.</summary>
    public void Keep(SeekableContent content, int frame, ReadOnlySpan<byte> bytes)
    {
        lock (gate)
        {
            if (room >= 0 && room < bytes.Length)
            {
                return;
            }

            try
            {
                Write(content, frame, bytes);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or BackupException)
            {
                // Nothing depends on this file: a disk that became full, or that nobody may write to, costs only the time to unpack frames again.
                room = 0;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var kept in files.Values)
        {
            kept.File.Dispose();
        }

        folder?.Dispose();
    }

    private void Write(SeekableContent content, int frame, ReadOnlySpan<byte> bytes)
    {
        folder ??= TemporaryFolder.CreateInFirst(parents, bytes.Length);
        if (room < 0)
        {
            var free = FreeSpace.Of(folder.Path);
            room = free - Math.Min(LargestReserve, free / 10);
        }

        if (room < bytes.Length)
        {
            return;
        }

        if (!files.TryGetValue(content, out var kept))
        {
            var made = File.OpenHandle(
                folder.FilePath($"frames-{files.Count}"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, FileOptions.DeleteOnClose);
            files[content] = kept = new KeptFile(made, new bool[content.FrameCount]);
        }

        if (!kept.Kept[frame])
        {
            RandomAccess.Write(kept.File, bytes, content.OffsetOf(frame));
            room -= bytes.Length;
            kept.Kept[frame] = true;
        }
    }

    private sealed record KeptFile(SafeFileHandle File, bool[] Kept);
}
