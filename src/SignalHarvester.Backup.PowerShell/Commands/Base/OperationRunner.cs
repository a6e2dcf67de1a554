using System.Collections.Concurrent;
using System.Management.Automation;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.PowerShell.Signals;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Runs operations of the engine by PowerShell's rules of reporting, asking and stopping.</summary>
/// <param name="cmdlet">The cmdlet that runs them and writes their reports.</param>
internal sealed class OperationRunner(PSCmdlet cmdlet) : IDisposable
{
    private const int MostResultsWaiting = 256;
    private const long LargestResultWaiting = 64 << 10;

    private readonly CancellationTokenSource stopping = new();

    /// <summary>The secrets of this call for encrypted backups.</summary>
    public IdentityRing Identities { get; set; } = IdentityRing.Empty;

    /// <summary>Whether databases are checked with integrity_check in any case.</summary>
    public bool IsThorough { get; set; }

    /// <summary>Writes a line of a run's log. Without another receiver, the lines are for -Verbose.</summary>
    public Action<string> Log { get; set; } = cmdlet.WriteVerbose;

    /// <summary>Takes the results of an operation that has many, as they come.</summary>
    public Action<object> Output { get; set; } = cmdlet.WriteObject;

    /// <summary>Cancelled when the call is stopped.</summary>
    public CancellationToken StopToken => stopping.Token;

    /// <summary>Ctrl+C: tells the operation to stop; ProcessRecord then waits for its clean-up.</summary>
    public void Stop() => stopping.Cancel();

    /// <inheritdoc/>
    public void Dispose() => stopping.Dispose();

    /// <inheritdoc cref="Run{T}(Func{OperationContext, T})"/>
    public void Run(Action<OperationContext> operation) => _ = Run(context =>
    {
        operation(context);
        return true;
    });

    /// <summary>
    /// Runs an operation on another thread and writes its reports from this one, the only thread from which PowerShell allows it.
    /// It returns only after the operation has ended, even if the pipeline or the process is told to stop.
    /// </summary>
    public T Run<T>(Func<OperationContext, T> operation)
    {
        using var events = new BlockingCollection<Reported>();
        using var room = new SemaphoreSlim(MostResultsWaiting);
        var context = new OperationContext(TimeProvider.System, Report, stopping.Token) { Identities = Identities, IsThorough = IsThorough };
        using var hold = TerminationSignals.Hold(stopping.Cancel);
        var worker = Task.Run(() =>
        {
            try
            {
                return operation(context);
            }
            finally
            {
                events.CompleteAdding();
            }
        });
        try
        {
            foreach (var reported in events.GetConsumingEnumerable())
            {
                Write(reported.Event);
                reported.Written?.SetResult();
                if (reported.Event is OperationResult)
                {
                    _ = room.Release();
                }
            }
        }
        catch
        {
            // Stopped, or ended by -WarningAction Stop: in any case, the operation must not continue behind the caller's back.
            stopping.Cancel();
            ((IAsyncResult)worker).AsyncWaitHandle.WaitOne();
            throw;
        }

        try
        {
            return worker.GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            WarnOfSignal(hold);
            throw new PipelineStoppedException();
        }

        void Report(OperationEvent reported)
        {
            if (reported is OperationResult)
            {
                // The operation must not run far ahead of a slow pipeline: a result can have more rows than memory has room for.
                room.Wait(stopping.Token);
            }

            if (reported is not (OperationMessage or OperationResult { Bytes: > LargestResultWaiting }))
            {
                events.Add(new Reported(reported, null));
                return;
            }

            // Waits until it is written: -WarningAction Stop and Inquire decide whether the operation may continue, and large results do not gather.
            var written = new TaskCompletionSource();
            events.Add(new Reported(reported, written));
            written.Task.Wait(stopping.Token);
        }
    }

    /// <summary>Runs an action that may have to wait on the pipeline's own thread, so that a stop ends it.</summary>
    public T Stoppable<T>(Func<CancellationToken, T> action)
    {
        try
        {
            return action(stopping.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
    }

    /// <summary>Says why an operation has stopped, if nobody stopped it at the keyboard, and waits for the end that the signal brings.</summary>
    private void WarnOfSignal(OperationHold hold)
    {
        try
        {
            if (hold.IsStopped)
            {
                cmdlet.WriteWarning($"{cmdlet.MyInvocation.MyCommand.Name} was stopped by a signal, and removed its unfinished work.");
            }
        }
        finally
        {
            hold.Dispose();
            TerminationSignals.AwaitEnd();
        }
    }

    private void Write(OperationEvent reported)
    {
        switch (reported)
        {
            case OperationMessage { IsWarning: true } message:
                cmdlet.WriteWarning(message.Text);
                break;
            case OperationMessage message:
                cmdlet.WriteVerbose(message.Text);
                break;
            case OperationLogLine line:
                Log(line.Text);
                break;
            case OperationResult result:
                Output(result.Item);
                break;
            case OperationProgress progress:
                cmdlet.WriteProgress(ProgressView.Of(progress));
                break;
            case OperationStepCompleted step:
                cmdlet.WriteProgress(ProgressView.Completed(step));
                break;
        }
    }

    // A class, because code of .NET's collections for a structure of ours cannot be compiled ahead, and every command would compile it.
    private sealed record Reported(OperationEvent Event, TaskCompletionSource? Written);
}
