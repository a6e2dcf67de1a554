namespace SignalHarvester.Backup.Formats.Seekable;

/// <summary>
/// Keeps the frames that were unpacked last, up to a fixed number of bytes. Where a reader goes from frame to frame, the next ones are
/// unpacked ahead of it on other cores; over a network, several adjacent ones come with one request.
/// </summary>
/// <remarks>
/// A reader that jumps about in an image that is larger than the cache would unpack the same frames again and again. Once it has done so
/// for a while, frames that come back go into a private temporary file (<see cref="UnpackedFrames"/>), so that none is unpacked a third time.
/// </remarks>
internal sealed class FrameCache : IDisposable
{
    /// <summary>The default size: a search goes through few frames, and a reader from front to back needs only those ahead of it.</summary>
    public const long DefaultBytes = 32L << 20;

    private const int LargestFrame = 4 << 20;
    private const int FewestFrames = 4;
    private const int MostAtOnce = 8;

    private readonly Lock gate = new();
    private readonly Dictionary<(SeekableContent Content, int Frame), Entry> entries = [];
    private readonly Dictionary<SeekableContent, Reader> readers = [];
    private readonly Stack<byte[]> idle = [];
    private readonly List<Task> loads = [];
    private readonly long capacity;
    private readonly UnpackedFrames unpacked;
    private readonly CancellationToken cancellation;
    private readonly CancellationTokenSource ending = new();
    private long held;
    private long clock;
    private long returns;

    /// <summary>Makes a cache.</summary>
    /// <param name="bytes">Its size; at least four frames.</param>
    /// <param name="unpacked">Where frames go that come back again and again.</param>
    /// <param name="cancellation">Stops every read.</param>
    public FrameCache(long bytes, UnpackedFrames unpacked, CancellationToken cancellation)
    {
        capacity = bytes;
        this.unpacked = unpacked;
        this.cancellation = cancellation;
    }

    /// <summary>Copies bytes of a frame's content.</summary>
    /// <param name="content">The content.</param>
    /// <param name="frame">The frame.</param>
    /// <param name="from">The first byte in the frame's content.</param>
    /// <param name="into">The buffer to fill.</param>
    public void Read(SeekableContent content, int frame, int from, Span<byte> into)
    {
        if (unpacked.TryRead(content, frame, from, into))
        {
            return;
        }

        Entry entry;
        bool keep;
        lock (gate)
        {
            var reader = ReaderOf(content);
            entry = entries.TryGetValue((content, frame), out var known) ? known : Begin(content, frame, 1)[0];
            entry.Used = ++clock;
            entry.Pins++;
            keep = entry.Keep;
            entry.Keep = false;
            ReadAhead(content, frame, reader);
        }

        try
        {
            entry.Loading.Task.GetAwaiter().GetResult();
            entry.Bytes.AsSpan(from, into.Length).CopyTo(into);
            if (keep)
            {
                unpacked.Keep(content, frame, entry.Bytes.AsSpan(0, content.PlaceOf(frame).Length));
            }
        }
        finally
        {
            lock (gate)
            {
                entry.Pins--;
                if (!entry.Loading.Task.IsCompletedSuccessfully)
                {
                    // The next read tries again.
                    Drop((content, frame));
                }
            }
        }
    }

    /// <summary>Stops what is being read ahead, and waits for its end. The contents can be closed afterwards.</summary>
    public void Dispose()
    {
        ending.Cancel();
        Task.WaitAll(Loads());
        ending.Dispose();
        unpacked.Dispose();
    }

    private Task[] Loads()
    {
        lock (gate)
        {
            return [.. loads];
        }
    }

    private Reader ReaderOf(SeekableContent content)
    {
        if (!readers.TryGetValue(content, out var reader))
        {
            readers[content] = reader = new Reader(content.FrameCount);
        }

        return reader;
    }

    /// <summary>Begins to unpack the frames after this one, if the reader came here from the one before.</summary>
    private void ReadAhead(SeekableContent content, int frame, Reader reader)
    {
        if (frame == reader.Last)
        {
            return;
        }

        reader.Run = frame == reader.Last + 1 ? Math.Min(reader.Run + 1, MostAtOnce) : 0;
        reader.Last = frame;
        if (reader.Run == 0)
        {
            return;
        }

        var most = (int)Math.Max(1, Math.Min(content.IsRemote ? reader.Run : 2, capacity / 2 / LargestOf(content)));
        var next = frame + 1;
        while (next < content.FrameCount && entries.ContainsKey((content, next)))
        {
            next++;
        }

        // Over a network it is worth while to wait until several can come at once.
        var wanted = Math.Min(frame + 1 + (2 * most), content.FrameCount) - next;
        if (content.IsRemote)
        {
            if (wanted >= most || next + wanted == content.FrameCount)
            {
                BeginMissing(content, next, Math.Min(wanted, most), together: true);
            }
        }
        else
        {
            BeginMissing(content, next, Math.Min(wanted, most), together: false);
        }
    }

    private void BeginMissing(SeekableContent content, int first, int count, bool together)
    {
        var last = first;
        while (last < first + count && !entries.ContainsKey((content, last)))
        {
            last++;
        }

        if (together && last > first)
        {
            Begin(content, first, last - first);
            return;
        }

        for (var frame = first; frame < last; frame++)
        {
            Begin(content, frame, 1);
        }
    }

    private List<Entry> Begin(SeekableContent content, int first, int count)
    {
        var begun = new List<Entry>(count);
        var reader = ReaderOf(content);
        for (var frame = first; frame < first + count; frame++)
        {
            returns += reader.Seen[frame] ? 1 : 0;
            var entry = new Entry(Buffer(content.PlaceOf(frame).Length))
            {
                Used = ++clock,
                Keep = reader.Seen[frame] && returns * LargestOf(content) > 2 * capacity,
            };
            reader.Seen[frame] = true;
            entries[(content, frame)] = entry;
            begun.Add(entry);
        }

        _ = loads.RemoveAll(load => load.IsCompleted);
        loads.Add(Task.Run(() => Load(content, first, begun)));
        return begun;
    }

    private void Load(SeekableContent content, int first, List<Entry> begun)
    {
        try
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, ending.Token);
            content.Load(
                first,
                [.. begun.Select((entry, i) => entry.Bytes.AsMemory(0, content.PlaceOf(first + i).Length))],
                (i, fault) =>
                {
                    if (fault is null)
                    {
                        begun[i].Loading.SetResult();
                    }
                    else
                    {
                        begun[i].Loading.SetException(fault);
                    }
                },
                stop.Token);
        }
        catch (OperationCanceledException)
        {
            begun.ForEach(entry => entry.Loading.TrySetCanceled(CancellationToken.None));
        }
        catch (Exception exception)
        {
            // Whoever reads one of the frames gets it.
            begun.ForEach(entry => entry.Loading.TrySetException(exception));
        }
    }

    /// <summary>Returns a buffer, after making room for it.</summary>
    private byte[] Buffer(int length)
    {
        length = Math.Min(LargestFrame, Math.Max(length, 1));
        while (held + length > capacity && entries.Count > FewestFrames && Oldest() is { } oldest)
        {
            Drop(oldest);
        }

        while (idle.TryPop(out var buffer))
        {
            if (buffer.Length >= length)
            {
                held += buffer.Length;
                return buffer;
            }
        }

        held += length;
        return GC.AllocateUninitializedArray<byte>(length);
    }

    private void Drop((SeekableContent Content, int Frame) key)
    {
        if (entries.Remove(key, out var entry))
        {
            held -= entry.Bytes.Length;
            idle.Push(entry.Bytes);
        }
    }

    private (SeekableContent Content, int Frame)? Oldest()
    {
        (SeekableContent Content, int Frame)? oldest = null;
        var used = long.MaxValue;
        foreach (var (key, entry) in entries)
        {
            if (entry is { Pins: 0, Loading.Task.IsCompleted: true } && entry.Used < used)
            {
                (oldest, used) = (key, entry.Used);
            }
        }

        return oldest;
    }

    private static long LargestOf(SeekableContent content) => Math.Max(1, content.FrameCount > 0 ? content.PlaceOf(0).Length : 1);

    private sealed class Entry(byte[] bytes)
    {
        public byte[] Bytes { get; } = bytes;

        public TaskCompletionSource Loading { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public long Used { get; set; }

        /// <summary>Whether the frame goes into the temporary file once it is unpacked.</summary>
        public bool Keep { get; set; }

        public int Pins { get; set; }
    }

    private sealed class Reader(int frames)
    {
        public int Last { get; set; } = -2;

        public int Run { get; set; }

        public bool[] Seen { get; } = new bool[frames];
    }
}
