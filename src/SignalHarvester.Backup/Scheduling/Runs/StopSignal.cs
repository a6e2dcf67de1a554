using System.Runtime.InteropServices;

namespace SignalHarvester.Backup.Scheduling.Runs;

/// <summary>
/// Takes the signals that end a process at a service's stop or a shutdown, so that a run can clean up first. pwsh itself
/// would end at once; our own host stops the pipeline, and then this is one more who asks for the same.
/// </summary>
public sealed class StopSignal : IDisposable
{
    private const int SignalBase = 128;
    private readonly PosixSignalRegistration[] registrations;

    /// <summary>Begins to listen.</summary>
    /// <param name="stop">Begins to stop what runs, and returns at once.</param>
    public StopSignal(Action stop)
    {
        registrations = [Listen(PosixSignal.SIGTERM, 15, stop), Listen(PosixSignal.SIGHUP, 1, stop)];
    }

    /// <summary>The exit code that says which signal came, as shells count; null while none has.</summary>
    public int? ExitCode { get; private set; }

    /// <inheritdoc/>
    public void Dispose() => Array.ForEach(registrations, registration => registration.Dispose());

    private PosixSignalRegistration Listen(PosixSignal signal, int number, Action stop) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        ExitCode = SignalBase + number;
        stop();
    });
}
