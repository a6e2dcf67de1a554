using System.Globalization;

namespace SignalHarvester.Backup.Formats.Pipeline;

/// <summary>Chooses between the codecs.</summary>
internal static class Codec
{
    /// <summary>Checks the requested level and returns the one to use.</summary>
    /// <param name="compression">The codec.</param>
    /// <param name="level">The requested level; null for the codec's default.</param>
    /// <exception cref="BackupException">InvalidArgument.</exception>
    public static int ResolveLevel(CompressionType compression, int? level)
    {
        var ((low, high), fallback) = compression switch
        {
            CompressionType.Zstd => (ZstdFrames.Levels, ZstdFrames.DefaultLevel),
            CompressionType.Gzip => (GzipMembers.Levels, GzipMembers.DefaultLevel),
            _ => ((0, 0), 0),
        };
        if (level is { } given && (given < low || given > high))
        {
            throw BackupException.InvalidArgument(given,
                compression == CompressionType.None
                    ? "-CompressionLevel cannot be combined with -Compression None. Omit it."
                    : string.Create(
                        CultureInfo.InvariantCulture, $"{compression} has no compression level {given}. Give a level from {low} (fast) to {high} (small)."));
        }

        return level ?? fallback;
    }

    /// <summary>
    /// Returns why a codec cannot be used in this process; null if it can. A library may be missing from the module's folder.
    /// </summary>
    public static string? WhyUnusable(CompressionType compression)
    {
        if (compression == CompressionType.None)
        {
            return null;
        }

        try
        {
            var probe = new Chunk { PlainLength = 1 };
            using var worker = Compressor(compression, ResolveLevel(compression, null));
            worker.Transform(probe);
            return null;
        }
        catch (Exception exception) when (exception is FileNotFoundException or FileLoadException or BadImageFormatException or DllNotFoundException
            or TypeInitializationException or TypeLoadException or MissingMethodException)
        {
            return exception.Message.ReplaceLineEndings(string.Empty).TrimEnd('.');
        }
    }

    /// <summary>Makes a worker that turns plain chunks into stored ones.</summary>
    public static IChunkWorker Compressor(CompressionType compression, int level) => compression switch
    {
        CompressionType.Zstd => ZstdFrames.Compressor(level),
        CompressionType.Gzip => GzipMembers.Compressor(level),
        _ => new PlainWorker(),
    };

    /// <summary>Makes a worker that turns stored chunks into plain ones.</summary>
    public static IFrameUnpacker Decompressor(CompressionType compression) => compression switch
    {
        CompressionType.Zstd => ZstdFrames.Decompressor(),
        CompressionType.Gzip => GzipMembers.Decompressor(),
        _ => new PlainWorker(),
    };

    private sealed class PlainWorker : IFrameUnpacker
    {
        public void Transform(Chunk chunk) => chunk.IsPlainOnly = true;

        public void Unpack(ArraySegment<byte> frame, Span<byte> content) => frame.AsSpan().CopyTo(content);

        public void Dispose()
        {
            // Holds nothing.
        }
    }
}
