using System.Runtime.InteropServices;

namespace SignalHarvester.Backup.PowerShell.Signals;

/// <summary>
/// Handles SIGTERM and SIGHUP, with which a service's stop, a pod's end or a closed terminal ends a process, and which PowerShell
/// does not handle. Here they stop the operations in progress, wait until those have cleaned up, and then have their usual effect.
/// </summary>
internal static class TerminationSignals
{
    private const int SignalBase = 128;
    private const int FirstProcess = 1;

    // This many at once mean that the sender does not want to wait.
    private const int Insisting = 3;

    // A signal that nobody else in the process handles has ended the process long before.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private static readonly object Gate = new();
    private static readonly List<PosixSignalRegistration> Registrations = [];
    private static readonly HashSet<OperationHold> Holds = [];
    private static int received;
    private static long endsUntil = long.MinValue;

    private static bool IsEnding => received > 0 || Environment.TickCount64 < endsUntil;

    /// <summary>Begins to listen, once in a process.</summary>
    public static void Listen()
    {
        Registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Handle(context, 15)));
        Registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => Handle(context, 1)));
    }

    /// <summary>Begins an operation for which the signals wait. If a signal has already come, the operation is told to stop at once.</summary>
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

    /// <summary>Ends an operation that has cleaned up.</summary>
    public static void Release(OperationHold hold)
    {
        lock (Gate)
        {
            Holds.Remove(hold);
            Monitor.PulseAll(Gate);
        }
    }

    /// <summary>
    /// Waits for the end of the process, if a signal is about to bring it. Otherwise the pipeline of the stopped operation would end
    /// the process first, with another exit code. It returns if the process survives because others in it handle the signal.
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

        // The usual effect is nothing for the first process of a container.
        if (!context.Cancel && Environment.ProcessId == FirstProcess)
        {
            Environment.Exit(SignalBase + number);
        }
    }
}
