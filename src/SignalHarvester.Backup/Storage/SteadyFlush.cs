using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage;

/// <summary>
/// Flushes a growing file to disk bit by bit on another thread, so that disk and processor work at the same time, and the
/// last flush has little left to do.
/// </summary>
internal sealed class SteadyFlush(SafeFileHandle file) : IDisposable
{
    private const long Step = 32 << 20;

    private readonly Lock gate = new();
    private Task flushing = Task.CompletedTask;
    private long unflushed;

    /// <summary>Notes that this many more bytes were written. Any thread may call it.</summary>
    /// <exception cref="IOException">An earlier flush failed.</exception>
    public void Written(int bytes)
    {
        lock (gate)
        {
            unflushed += bytes;
            if (unflushed < Step || !flushing.IsCompleted)
            {
                return;
            }

            flushing.GetAwaiter().GetResult();
            unflushed = 0;
            flushing = Task.Run(() => RandomAccess.FlushToDisk(file));
        }
    }

    /// <summary>Waits until everything is on disk.</summary>
    /// <exception cref="IOException">A flush failed.</exception>
    public void Finish()
    {
        flushing.GetAwaiter().GetResult();
        RandomAccess.FlushToDisk(file);
    }

    /// <summary>Waits for a running flush, because the handle must not be closed under it.</summary>
    public void Dispose() => ((IAsyncResult)flushing).AsyncWaitHandle.WaitOne();
}
