using System.Runtime.InteropServices;

namespace SignalHarvester.Backup.PowerShell.Signals;

/// <summary>
/// SIGTERM and SIGHUP, by which a service's stop, a pod's end or a closed terminal ends a process, and which PowerShell does not
/// handle. Here they stop the operations in progress, wait until those have cleaned up, and then do what they always do.
/// </summary>
internal static class TerminationSignals
{
    private const int SignalBase = 128;
    private const int FirstProcess = 1;

    // So many at once say that whoever sends them does not want to wait.
    private const int Insisting = 3;

    // A signal that nobody else in the process takes has ended it long before.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private static readonly object Gate = new();
    private static readonly List<PosixSignalRegistration> Registrations = [];
    private static readonly HashSet<OperationHold> Holds = [];
    private static int received;
    private static long endsUntil = long.MinValue;

    private static bool IsEnding => received > 0 || Environment.TickCount64 < endsUntil;

    /// <summary>Begins to listen; once a process.</summary>
    public static void Listen()
    {
        Registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Handle(context, 15)));
        Registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => Handle(context, 1)));
    }

    /// <summary>Begins an operation that the signals wait for. Where one has come already, it is told to stop at once.</summary>
    /// <param name="stop">Tells the operation to stop, and returns at once.</param>
    public static OperationHold Hold(Action stop)
    {
        var hold = new OperationHold(stop);
        lock (Gate)
        {
            Holds.Add(hold);
            if (IsEnding)
            {
                hold.Stop();
            }
        }

        return hold;
    }

    /// <summary>Ends an operation: it has cleaned up.</summary>
    public static void Release(OperationHold hold)
    {
        lock (Gate)
        {
            Holds.Remove(hold);
            Monitor.PulseAll(Gate);
        }
    }

    /// <summary>
    /// Waits for the end of the process, where a signal is about to bring it: the pipeline of what was stopped must not end the
    /// process first, with an exit code that says something else. Returns where the process lives on, since others in it handle the signal.
    /// </summary>
    public static void AwaitEnd()
    {
        lock (Gate)
        {
            while (IsEnding)
            {
                Monitor.Wait(Gate, Grace);
            }
        }
    }

    private static void Handle(PosixSignalContext context, int number)
    {
        lock (Gate)
        {
            received++;
            foreach (var hold in Holds)
            {
                hold.Stop();
            }

            Monitor.PulseAll(Gate);
            while (Holds.Count > 0 && received < Insisting)
            {
                Monitor.Wait(Gate);
            }

            received--;
            endsUntil = context.Cancel ? long.MinValue : Environment.TickCount64 + (long)Grace.TotalMilliseconds;
            Monitor.PulseAll(Gate);
        }

        // What the signal always does is nothing where the process is the first of a container.
        if (!context.Cancel && Environment.ProcessId == FirstProcess)
        {
            Environment.Exit(SignalBase + number);
        }
    }
}
