using System.Diagnostics;
using SignalHarvester.Backup.Continuous.Holder;
using SignalHarvester.Backup.Sqlite.Snapshot;
using Xunit;

namespace SignalHarvester.Backup.Tests.Continuous.Holder;

/// <summary>Looks at a database again and again on a thread of its own, as protection does, and keeps the followed image.</summary>
internal sealed class Looking : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly LogHolder holder;
    private readonly Thread thread;
    private readonly ManualResetEventSlim going = new(initialState: true);
    private volatile bool isEnding;
    private Exception? failure;
    private long looks;

    /// <param name="path">The database, which nothing else in this process has open.</param>
    /// <param name="image">What it is up to the place.</param>
    /// <param name="place">Where an earlier one ended.</param>
    /// <param name="rest">The file then.</param>
    /// <param name="options">When to checkpoint.</param>
    public Looking(string path, byte[] image, LogPlace? place = null, FileMark? rest = null, HolderOptions? options = null)
    {
        Followed = new FollowedImage(4096, image);
        holder = LogHolder.Open(path, Followed, options ?? new HolderOptions(), TimeProvider.System);
        WhyNew = holder.Begin(place, rest);
        thread = new Thread(Run) { IsBackground = true };
        thread.Start();
    }

    public FollowedImage Followed { get; }

    /// <summary>Why it did not continue; null if it did.</summary>
    public string? WhyNew { get; }

    /// <summary>What ended it; null if nothing did.</summary>
    public Exception? Failure
    {
        get
        {
            lock (gate)
            {
                return failure;
            }
        }
    }

    /// <summary>Stops looking, as a process that gets no time does, until <see cref="GoOn"/>.</summary>
    public void Pause()
    {
        going.Reset();
        lock (gate)
        {
            // A look that had begun has ended.
        }
    }

    public void GoOn() => going.Set();

    public T Ask<T>(Func<LogHolder, T> question)
    {
        lock (gate)
        {
            return question(holder);
        }
    }

    /// <summary>Looks until something is so, since a holder tells nobody; a test never hangs for ever.</summary>
    public void Await(Func<LogHolder, bool> isSo)
    {
        var began = Stopwatch.GetTimestamp();
        while (!Ask(isSo))
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < Hang, $"It did not come: {Ask(holder => (holder.State, holder.Position))} {Failure}");

            // The pace of the looks that it waits for.
            Thread.Sleep(Interval);
        }
    }

    /// <summary>Waits until everything that is committed is read and copied.</summary>
    public void AwaitRest()
    {
        WalIndexHeader before;
        do
        {
            Await(holder => holder.State == HolderState.Rest);
            before = Ask(holder => holder.Position);

            // Rest must last for some looks: between two commits it comes and goes.
            AwaitLooks();
        }
        while (Ask(holder => (holder.State, holder.Position)) != (HolderState.Rest, before));
    }

    /// <summary>Waits for some looks, however long they take on a busy machine.</summary>
    public void AwaitLooks()
    {
        const int some = 10;
        var until = Ask(_ => looks) + some;
        Await(_ => looks >= until);
    }

    public (LogPlace? Place, FileMark? File) Where() => Ask(holder => (LogPlace.Of(holder.Position), holder.RestMark));

    /// <summary>Leaves as protection does when it is stopped.</summary>
    public void Close()
    {
        End();
        Assert.Null(Failure);
        holder.Close();
    }

    /// <summary>Leaves a database that was replaced.</summary>
    /// <returns>What it says of the log.</returns>
    public string? CloseReplaced()
    {
        End();
        _ = Assert.IsType<DatabaseReplacedException>(Failure);
        return holder.CloseReplaced();
    }

    /// <summary>Ends as a killed process does, as far as its locks go.</summary>
    public void Dispose()
    {
        End();
        holder.Dispose();
        going.Dispose();
    }

    private void End()
    {
        isEnding = true;
        going.Set();
        if (thread.IsAlive)
        {
            thread.Join();
        }
    }

    private void Run()
    {
        while (!isEnding)
        {
            going.Wait();
            lock (gate)
            {
                if (!going.IsSet)
                {
                    continue;
                }

                try
                {
                    holder.Look();
                    if (!holder.HasNews)
                    {
                        holder.Shrink();
                    }

                    looks++;
                }
                catch (Exception exception)
                {
                    failure = exception;
                    return;
                }
            }

            // The pace of the product's own looks.
            Thread.Sleep(Interval);
        }
    }
}
