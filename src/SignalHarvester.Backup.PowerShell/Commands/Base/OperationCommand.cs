using System.Collections.Concurrent;
using System.Management.Automation;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.PowerShell.Signals;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>What the cmdlets share that run an operation of the engine: how it is run, told, asked for and stopped under PowerShell's rules.</summary>
public abstract class OperationCommand : ModuleCommand, IDisposable
{
    private readonly CancellationTokenSource stopping = new();

    /// <summary>Ends the cmdlet's resources.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Ends the cmdlet's resources.</summary>
    /// <param name="disposing">Whether this is a call of Dispose.</param>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            stopping.Dispose();
        }
    }

    /// <summary>Ctrl+C: tells the operation to stop; ProcessRecord then waits for its clean-up.</summary>
    protected override void StopProcessing() => stopping.Cancel();

    /// <summary>What the operations of this call may open encrypted backups with.</summary>
    private protected IdentityRing Identities { get; set; } = IdentityRing.Empty;

    /// <summary>Cancelled when the call is stopped.</summary>
    private protected CancellationToken StopToken => stopping.Token;

    /// <summary>The files that a path with wildcards names; a path of a file that exists is taken as it stands.</summary>
    private protected IReadOnlyList<string> ExpandPath(string path)
    {
        if (!WildcardPattern.ContainsWildcardCharacters(path) || InvokeProvider.Item.Exists(WildcardPattern.Escape(path)))
        {
            return [FileSystemPath(path)];
        }

        var found = new List<string>();
        try
        {
            found.AddRange(SessionState.Path.GetResolvedProviderPathFromPSPath(path, out _));
        }
        catch (ItemNotFoundException)
        {
            // The same as no match: named below.
        }

        return found.Count > 0
            ? found
            : throw new BackupException(
                BackupErrorId.SourceNotFound, path, $"No file matches '{path}'. Check the path; for a name with brackets in it, use -LiteralPath.");
    }

    /// <inheritdoc cref="RunOperation{T}(Func{OperationContext, T})"/>
    private protected void RunOperation(Action<OperationContext> operation) => _ = RunOperation(context =>
    {
        operation(context);
        return true;
    });

    /// <summary>
    /// Runs an operation on another thread and writes what it tells from this one, the only one that PowerShell lets
    /// write. Does not return before the operation has ended, also when the pipeline or the process is told to stop.
    /// </summary>
    private protected T RunOperation<T>(Func<OperationContext, T> operation)
    {
        using var events = new BlockingCollection<(OperationEvent Told, TaskCompletionSource? Written)>();
        var context = new OperationContext(TimeProvider.System, Report, stopping.Token) { Identities = Identities };
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
            foreach (var (told, written) in events.GetConsumingEnumerable())
            {
                Write(told);
                written?.SetResult();
            }
        }
        catch
        {
            // Stopped, or ended by -WarningAction Stop: whatever it is, the operation must not go on behind the caller's back.
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
            TellOfSignal(hold);
            throw new PipelineStoppedException();
        }

        void Report(OperationEvent told)
        {
            if (told is not OperationMessage)
            {
                events.Add((told, null));
                return;
            }

            // Waits until it is written: -WarningAction Stop and Inquire decide whether the operation may go on.
            var written = new TaskCompletionSource();
            events.Add((told, written));
            written.Task.Wait(stopping.Token);
        }
    }

    /// <summary>Does what may have to wait on the pipeline's own thread, so that a stop ends it.</summary>
    private protected T Stoppable<T>(Func<CancellationToken, T> action)
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

    /// <summary>Whether a text is what a pattern says, as wildcards or as it stands.</summary>
    private protected static bool Matches(string pattern, string text) =>
        WildcardPattern.Get(pattern, WildcardOptions.IgnoreCase).IsMatch(text) || string.Equals(pattern, text, StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Asks as ConfirmImpact High wants it. -Force means yes, unless -Confirm or -WhatIf was given as well.
    /// </summary>
    private protected bool ShouldProcessUnlessForced(bool force, string target, string action) =>
        (force && !IsSwitchedOn("Confirm") && !IsWhatIf) || ShouldProcess(target, action);

    private bool IsSwitchedOn(string name) =>
        MyInvocation.BoundParameters.TryGetValue(name, out var given) && ((SwitchParameter)given).IsPresent;

    /// <summary>Says why an operation has stopped, where nobody at the keyboard stopped it, and waits for the end that the signal brings.</summary>
    private void TellOfSignal(OperationHold hold)
    {
        try
        {
            if (hold.IsStopped)
            {
                WriteWarning($"{MyInvocation.MyCommand.Name} was stopped by a signal. What it had not finished is removed.");
            }
        }
        finally
        {
            hold.Dispose();
            TerminationSignals.AwaitEnd();
        }
    }

    private void Write(OperationEvent told)
    {
        switch (told)
        {
            case OperationMessage { IsWarning: true } message:
                WriteWarning(message.Text);
                break;
            case OperationMessage message:
                WriteVerbose(message.Text);
                break;
            case OperationProgress progress:
                WriteProgress(ProgressView.Of(progress));
                break;
            case OperationStepCompleted step:
                WriteProgress(ProgressView.Completed(step));
                break;
        }
    }
}
