using System.Collections.Concurrent;
using SignalHarvester.Backup.Formats.Pipeline;
using Xunit;

namespace SignalHarvester.Backup.Tests.Formats;

public sealed class ChunkPipelineTests
{
    // At most eight workers, and four waiting chunks.
    private const int Most = 12;

    [Fact]
    public void Chunks_come_out_in_the_order_in_which_they_went_in_whatever_each_takes()
    {
        var next = 0;
        List<int> seen = [];

        ChunkPipeline.Run(
            chunk => Fill(chunk, next++, end: 500),
            () => new Work(chunk => Thread.SpinWait(chunk.Plain[0] % 7 * 2000)),
            chunk => seen.Add(BitConverter.ToInt32(chunk.Plain)),
            CancellationToken.None);

        Assert.Equal(Enumerable.Range(0, 500), seen);
    }

    [Fact]
    public void The_number_of_chunks_does_not_depend_on_how_much_flows_through()
    {
        Assert.InRange(Used(5000).Count, 1, Most);
    }

    [Fact]
    public void The_next_pipeline_takes_the_chunks_of_the_last_with_nothing_left_in_them()
    {
        // Others may take them first, on another thread, or the garbage collector may.
        var taken = false;
        for (var attempt = 0; attempt < 20 && !taken; attempt++)
        {
            var first = Used(100, chunk => chunk.IsPlainOnly = true);
            var second = Used(100, chunk => Assert.False(chunk.IsPlainOnly));
            taken = first.Overlaps(second);
        }

        Assert.True(taken);
    }

    [Fact]
    public void A_slow_consumer_stops_the_reader()
    {
        var read = 0;
        var consumed = 0;

        ChunkPipeline.Run(
            chunk => Fill(chunk, Interlocked.Increment(ref read), end: 1000),
            () => new Work(_ => { }),
            _ =>
            {
                Assert.True(Volatile.Read(ref read) - consumed <= Most + 1);
                consumed++;
            },
            CancellationToken.None);

        Assert.Equal(999, consumed);
    }

    [Theory]
    [InlineData("read")]
    [InlineData("make")]
    [InlineData("transform")]
    [InlineData("consume")]
    public void The_first_failure_is_the_one_reported_and_every_thread_ends(string where)
    {
        var threads = new ConcurrentDictionary<Thread, bool>();
        var next = 0;
        var disposed = 0;
        var made = 0;

        var error = Assert.Throws<IOException>(() => ChunkPipeline.Run(
            chunk => Fill(chunk, next++, end: int.MaxValue) && (next < 50 || Step("read", true)),
            () =>
            {
                Step("make", true);
                Interlocked.Increment(ref made);
                return new Work(chunk => _ = chunk.Plain[0] > 40 && Step("transform", true), () => Interlocked.Increment(ref disposed));
            },
            chunk => _ = chunk.Plain[0] > 40 && Step("consume", true),
            CancellationToken.None));

        Assert.Equal(where, error.Message);
        Assert.Equal(made, disposed);
        Assert.All(threads.Keys.Where(thread => thread != Thread.CurrentThread), thread => Assert.False(thread.IsAlive));

        T Step<T>(string step, T value)
        {
            threads.TryAdd(Thread.CurrentThread, true);
            return step == where ? throw new IOException(where) : value;
        }
    }

    [Theory]
    [InlineData("read")]
    [InlineData("transform")]
    [InlineData("consume")]
    public void Cancelling_stops_every_thread_and_says_cancelled(string where)
    {
        using var stop = new CancellationTokenSource();
        var threads = new ConcurrentDictionary<Thread, bool>();
        var next = 0;

        Assert.ThrowsAny<OperationCanceledException>(() => ChunkPipeline.Run(
            chunk =>
            {
                Step("read", next);
                return Fill(chunk, next++, end: int.MaxValue);
            },
            () => new Work(chunk => Step("transform", chunk.Plain[0])),
            chunk => Step("consume", chunk.Plain[0]),
            stop.Token));

        Assert.All(threads.Keys.Where(thread => thread != Thread.CurrentThread), thread => Assert.False(thread.IsAlive));

        void Step(string step, int number)
        {
            threads.TryAdd(Thread.CurrentThread, true);
            if (step == where && number > 40)
            {
                stop.Cancel();
            }
        }
    }

    private static HashSet<Chunk> Used(int count, Action<Chunk>? transform = null)
    {
        HashSet<Chunk> used = [];
        var next = 0;
        ChunkPipeline.Run(
            chunk => Fill(chunk, next++, count),
            () => new Work(transform ?? (_ => { })),
            chunk => used.Add(chunk),
            CancellationToken.None);
        return used;
    }

    private static bool Fill(Chunk chunk, int number, int end)
    {
        BitConverter.TryWriteBytes(chunk.Plain, number);
        chunk.PlainLength = 4;
        return number < end;
    }

    private sealed class Work(Action<Chunk> transform, Action? dispose = null) : IChunkWorker
    {
        public void Transform(Chunk chunk) => transform(chunk);

        public void Dispose() => dispose?.Invoke();
    }
}
