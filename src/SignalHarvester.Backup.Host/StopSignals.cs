using System.Runtime.InteropServices;

namespace SignalHarvester.Backup.Host;

/// <summary>Turns SIGINT, SIGTERM and SIGHUP into a stop that leaves time for clean-up; the third one kills.</summary>
internal sealed class StopSignals : IDisposable
{
    private const int Killing = 3;
    private static readonly (PosixSignal Signal, int Number)[] Handled =
        [(PosixSignal.SIGHUP, 1), (PosixSignal.SIGINT, 2), (PosixSignal.SIGTERM, 15)];

    private readonly List<PosixSignalRegistration> registrations;
    private readonly Action stop;
    private int received;

    /// <summary>Begins to listen.</summary>
    /// <param name="stop">Begins to stop what runs, and returns at once.</param>
    public StopSignals(Action stop)
    {
        this.stop = stop;
        registrations = [.. Handled.Select(handled =>
            PosixSignalRegistration.Create(handled.Signal, context => this.Handle(context, handled.Number)))];
    }

    /// <summary>Gets the number of the signal that came last, or 0.</summary>
    public int Last { get; private set; }

    /// <summary>Gets whether the process is to end: an interrupt alone ends only what runs.</summary>
    public bool IsEndRequested => this.Last is not (0 or 2);

    /// <summary>Forgets the interrupts so far, before the next command of an interactive session.</summary>
    public void Reset()
    {
        if (!this.IsEndRequested)
        {
            this.Last = 0;
            received = 0;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => registrations.ForEach(registration => registration.Dispose());

    private void Handle(PosixSignalContext context, int number)
    {
        context.Cancel = Interlocked.Increment(ref received) < Killing;
        this.Last = number;
        stop();
    }
}
