using System.Runtime.ExceptionServices;

namespace SignalHarvester.Backup.Formats.Pipeline;

/// <summary>
/// Moves chunks from one reader through parallel workers to one consumer, in order, with a fixed number of chunks in
/// flight, so memory does not depend on the amount of data.
/// </summary>
/// <remarks>
/// One monitor guards all three queues. With a chunk every few milliseconds it is hardly ever contended. Waiting in it does
/// not spin, as BlockingCollection does: on two cores, spinning takes time from the threads that work.
/// </remarks>
internal sealed class ChunkPipeline
{
    // More workers do not make one disk faster, and each one costs memory.
    private static readonly int Workers = Math.Clamp(Environment.ProcessorCount, 1, 8);

    // A fold or a verified backup runs several pipelines, one after another. Each takes the buffers of the previous one, unless
    // the memory was needed for something else meanwhile.
    private static readonly WeakReference<IReadOnlyList<Chunk>> Idle = new([]);

    private readonly object gate = new();
    private readonly Queue<Chunk> free = new();
    private readonly Queue<Chunk> toTransform = new();
    private readonly Queue<Chunk> inOrder = new();
    private ExceptionDispatchInfo? failure;
    private bool ended;
    private bool stopped;

    private ChunkPipeline()
    {
    }

    /// <summary>Runs to the end of the data, the first failure, or cancellation, and waits for every thread in any case.</summary>
    /// <param name="read">Fills a chunk; false at the end. It runs on a thread of its own.</param>
    /// <param name="makeWorker">Makes a worker that transforms chunks, one for each thread. The pipeline disposes it.</param>
    /// <param name="consume">Takes a transformed chunk, in the order of reading, on the calling thread.</param>
    /// <param name="cancellation">Stops everything.</param>
    public static void Run(
        Func<Chunk, bool> read,
        Func<IChunkWorker> makeWorker,
        Action<Chunk> consume,
        CancellationToken cancellation)
    {
        var pipeline = new ChunkPipeline();
        var chunks = TakeChunks();
        foreach (var chunk in chunks)
        {
            pipeline.free.Enqueue(chunk);
        }

        using (cancellation.Register(pipeline.Stop))
        {
            var threads = new List<Thread> { pipeline.Start("read", () => pipeline.Read(read)) };
            for (var i = 0; i < Workers; i++)
            {
                threads.Add(pipeline.Start("transform", () => pipeline.Transform(makeWorker)));
            }

            pipeline.Guard(() => pipeline.Consume(consume));
            threads.ForEach(thread => thread.Join());
        }

        Idle.SetTarget(chunks);

        cancellation.ThrowIfCancellationRequested();
        pipeline.failure?.Throw();
    }

    private static IReadOnlyList<Chunk> TakeChunks()
    {
        lock (Idle)
        {
            if (Idle.TryGetTarget(out var idle) && idle.Count > 0)
            {
                Idle.SetTarget([]);
                return idle;
            }
        }

        return [.. Enumerable.Range(0, Workers + 4).Select(_ => new Chunk())];
    }

    private Thread Start(string name, Action body)
    {
        var thread = new Thread(() => Guard(body)) { IsBackground = true, Name = "shbackup " + name };
        thread.Start();
        return thread;
    }

    private void Guard(Action body)
    {
        try
        {
            body();
        }
        catch (Exception exception)
        {
            // The first fault is the cause. What other threads throw after the stop only follows from it.
            Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(exception), null);
            Stop();
        }
    }

    private void Read(Func<Chunk, bool> read)
    {
        while (Take(free) is { } chunk)
        {
            chunk.Clear();
            var any = read(chunk);
            Change(() =>
            {
                if (any)
                {
                    inOrder.Enqueue(chunk);
                    toTransform.Enqueue(chunk);
                }
                else
                {
                    ended = true;
                }
            });
            if (!any)
            {
                return;
            }
        }
    }

    private void Transform(Func<IChunkWorker> makeWorker)
    {
        using var worker = makeWorker();
        while (Take(toTransform) is { } chunk)
        {
            worker.Transform(chunk);
            Change(() => chunk.IsTransformed = true);
        }
    }

    private void Consume(Action<Chunk> consume)
    {
        while (Take(inOrder) is { } chunk)
        {
            consume(chunk);
            Change(() => free.Enqueue(chunk));
        }
    }

    /// <summary>Waits for the next chunk of a queue; null if no more will come, or everything is stopped.</summary>
    private Chunk? Take(Queue<Chunk> queue)
    {
        lock (gate)
        {
            while (true)
            {
                if (stopped)
                {
                    return null;
                }

                if (queue.TryPeek(out var chunk) && (queue != inOrder || chunk.IsTransformed))
                {
                    return queue.Dequeue();
                }

                if (ended && queue != free && queue.Count == 0)
                {
                    return null;
                }

                Monitor.Wait(gate);
            }
        }
    }

    private void Stop() => Change(() => stopped = true);

    private void Change(Action change)
    {
        lock (gate)
        {
            change();
            Monitor.PulseAll(gate);
        }
    }
}
