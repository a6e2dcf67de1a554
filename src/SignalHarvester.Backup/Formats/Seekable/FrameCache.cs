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

    private const int FewestFrames = 4;
    private const int MostAtOnce = 8;
    private const int MostAheadHere = 2;

    private readonly Lock gate = new();
    private readonly Dictionary<SeekableContent, Reader> readers = [];
    private readonly List<Entry> entries = [];
    private readonly Stack<byte[]> idle = [];
    private readonly List<Ahead> loads = [];
    private readonly long capacity;
    private readonly UnpackedFrames unpacked;
    private readonly CancellationTokenSource ending;
    private long held;
    private long clock;
    private long returned;

    /// <summary>
    /// Whether every frame that comes over a network goes into the temporary file, so that it comes once, however many there are.
    /// </summary>
    public bool KeepsRemote { get; init; }

    /// <summary>Makes a cache.</summary>
    /// <param name="bytes">Its size; at least four frames.</param>
    /// <param name="unpacked">Where frames go that come back again and again. It is disposed with the cache.</param>
    /// <param name="cancellation">Stops every read.</param>
    public FrameCache(long bytes, UnpackedFrames unpacked, CancellationToken cancellation)
    {
        capacity = bytes;
        this.unpacked = unpacked;
        ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
    }

    /// <summary>Copies bytes of a frame's content.</summary>
    /// <param name="content">The content.</param>
    /// <param name="frame">The frame.</param>
    /// <param name="from">The first byte in the frame's content.</param>
    /// <param name="into">The buffer to fill.</param>
    /// <exception cref="InvalidDataException">The frame is damaged.</exception>
    /// <exception cref="BackupException">The Cloud… errors.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public void Read(SeekableContent content, int frame, int from, Span<byte> into)
    {
        if (unpacked.TryRead(content, frame, from, into))
        {
            return;
        }

        Entry entry;
        bool isKept;
        bool isMissing;
        lock (gate)
        {
            var reader = ReaderOf(content);
            isMissing = reader.Entries[frame] is null;
            entry = reader.Entries[frame] ?? Add(reader, frame);
            entry.Used = ++clock;
            entry.Pins++;
            isKept = entry.IsToKeep;
            entry.IsToKeep = false;
            ReadAhead(reader, frame);
        }

        try
        {
            if (isMissing)
            {
                // Here and now: whoever waits for it has nothing else to do.
                Load(content, frame, [entry]);
            }
            else if (entry.Ahead is { } ahead && ahead.TryTake())
            {
                // Every thread of the pool may be busy, and each with a reader that waits like this one.
                Run(ahead);
            }

            entry.Loading.Task.GetAwaiter().GetResult();
            entry.Bytes.AsSpan(from, into.Length).CopyTo(into);
            if (isKept)
            {
                unpacked.Keep(content, frame, entry.Bytes.AsSpan(0, content.LengthOf(frame)));
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
                    Drop(entry);
                }
            }
        }
    }

    /// <summary>Stops what is being read ahead, and waits for its end. The contents can be closed afterwards.</summary>
    public void Dispose()
    {
        ending.Cancel();
        Ahead[] begun;
        lock (gate)
        {
            begun = [.. loads];
        }

        // Whatever has not begun never will.
        Task.WaitAll(begun.Where(load => !load.TryTake()).Select(load => load.Ended.Task));
        ending.Dispose();
        unpacked.Dispose();
    }

    private Reader ReaderOf(SeekableContent content)
    {
        if (!readers.TryGetValue(content, out var reader))
        {
            readers[content] = reader = new Reader(content);
        }

        return reader;
    }

    /// <summary>Begins to unpack the frames after this one, if the reader came here from the one before.</summary>
    private void ReadAhead(Reader reader, int frame)
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

        var content = reader.Content;
        var atOnce = (int)Math.Max(1, Math.Min(content.IsRemote ? reader.Run : MostAheadHere, capacity / 4 / content.LengthOf(0)));
        var next = frame + 1;
        while (next < content.FrameCount && reader.Entries[next] is not null)
        {
            next++;
        }

        var end = Math.Min(frame + 1 + (2 * atOnce), content.FrameCount);
        while (next < end && reader.Entries[next] is null)
        {
            if (!content.IsRemote)
            {
                Begin(reader, next++, 1);
                continue;
            }

            // Over a network it is worth while to wait until several can come at once.
            var count = 1;
            while (count < atOnce && next + count < end && reader.Entries[next + count] is null)
            {
                count++;
            }

            if (count < atOnce && end < content.FrameCount)
            {
                return;
            }

            Begin(reader, next, count);
            next += count;
        }
    }

    /// <summary>Begins to read and unpack frames on another core.</summary>
    private void Begin(Reader reader, int first, int count)
    {
        var begun = new Entry[count];
        var ahead = new Ahead(reader.Content, first, begun);
        for (var i = 0; i < count; i++)
        {
            begun[i] = Add(reader, first + i);
            begun[i].Ahead = ahead;
        }

        _ = loads.RemoveAll(load => load.Ended.Task.IsCompleted);
        loads.Add(ahead);
        _ = Task.Run(() =>
        {
            if (ahead.TryTake())
            {
                Run(ahead);
            }
        });
    }

    private void Run(Ahead ahead)
    {
        Load(ahead.Content, ahead.First, ahead.Entries);
        ahead.Ended.SetResult();
    }

    private Entry Add(Reader reader, int frame)
    {
        returned += reader.Seen[frame] ? reader.Content.LengthOf(frame) : 0;
        var entry = new Entry(reader, frame, Buffer(reader.Content.LengthOf(frame)))
        {
            Used = ++clock,
            IsToKeep = (KeepsRemote && reader.Content.IsRemote) || (reader.Seen[frame] && returned > 2 * capacity),
        };
        reader.Seen[frame] = true;
        reader.Entries[frame] = entry;
        entries.Add(entry);
        return entry;
    }

    private void Load(SeekableContent content, int first, Entry[] begun)
    {
        try
        {
            var contents = new byte[begun.Length][];
            for (var i = 0; i < begun.Length; i++)
            {
                contents[i] = begun[i].Bytes;
            }

            content.Load(
                first,
                contents,
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
                ending.Token);
        }
        catch (Exception exception)
        {
            // Whoever reads one of the frames gets it.
            foreach (var entry in begun)
            {
                _ = entry.Loading.TrySetException(exception);
            }
        }
    }

    /// <summary>Returns a buffer, after making room for it.</summary>
    private byte[] Buffer(int length)
    {
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

    private void Drop(Entry entry)
    {
        if (entries.Remove(entry))
        {
            entry.Reader.Entries[entry.Frame] = null;
            held -= entry.Bytes.Length;
            idle.Push(entry.Bytes);
        }
    }

    private Entry? Oldest()
    {
        Entry? oldest = null;
        foreach (var entry in entries)
        {
            if (entry is { Pins: 0, Loading.Task.IsCompleted: true } && (oldest is null || entry.Used < oldest.Used))
            {
                oldest = entry;
            }
        }

        return oldest;
    }

    private sealed class Entry(Reader reader, int frame, byte[] bytes)
    {
        public Reader Reader { get; } = reader;

        public int Frame { get; } = frame;

        public byte[] Bytes { get; } = bytes;

        public TaskCompletionSource Loading { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>What reads it ahead of time; null if nothing does.</summary>
        public Ahead? Ahead { get; set; }

        public long Used { get; set; }

        /// <summary>Whether the frame goes into the temporary file once it is unpacked.</summary>
        public bool IsToKeep { get; set; }

        public int Pins { get; set; }
    }

    /// <summary>Adjacent frames that are read ahead: on another core, or by whoever needs one of them before that has begun.</summary>
    private sealed class Ahead(SeekableContent content, int first, Entry[] entries)
    {
        private int isTaken;

        public SeekableContent Content { get; } = content;

        public int First { get; } = first;

        public Entry[] Entries { get; } = entries;

        public TaskCompletionSource Ended { get; } = new();

        /// <summary>Whether the caller is the one who reads them.</summary>
        public bool TryTake() => Interlocked.Exchange(ref isTaken, 1) == 0;
    }

    /// <summary>The frames of one content, and where its reader is.</summary>
    private sealed class Reader(SeekableContent content)
    {
        public SeekableContent Content { get; } = content;

        public Entry?[] Entries { get; } = new Entry?[content.FrameCount];

        public bool[] Seen { get; } = new bool[content.FrameCount];

        public int Last { get; set; } = -2;

        public int Run { get; set; }
    }
}
