namespace SignalHarvester.Backup.Host;

/// <summary>
/// Reads keys so that a wait can be given up. The console cannot take back a read that has begun,
/// so the read goes on in the background, and the key it gets belongs to whoever asks next.
/// </summary>
internal sealed class Keyboard
{
    private Task<ConsoleKeyInfo>? pending;

    /// <summary>Turns the terminal's own echo off: it would show keys that are typed before they are read, passwords too.</summary>
    public static void TurnEchoOff() => _ = Console.KeyAvailable;

    /// <summary>Waits for one key, which is not echoed.</summary>
    /// <exception cref="OperationCanceledException">The wait was given up.</exception>
    public ConsoleKeyInfo ReadKey(CancellationToken cancellation)
    {
        pending ??= Task.Factory.StartNew(
            () => Console.ReadKey(intercept: true), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        pending.Wait(cancellation);
        ConsoleKeyInfo key = pending.Result;
        pending = null;
        return key;
    }
}
