using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace SignalHarvester.Backup.PowerShell.Tests.Support;

/// <summary>
/// The real PowerShell engine with the built module imported, as users have it. It has no Utility and Management cmdlets: no
/// Get-ChildItem, no Select-Object.
/// </summary>
internal sealed class PowerShellSession : IDisposable
{
    private readonly Runspace runspace;

    private PowerShellSession(Runspace runspace, ScriptedHost host)
    {
        this.runspace = runspace;
        Host = host;
    }

    /// <summary>The host: it answers the questions of cmdlets, and keeps what was shown.</summary>
    public ScriptedHost Host { get; }

    /// <summary>Starts an engine and imports the module.</summary>
    /// <param name="answers">The labels of the choices (<c>Yes</c>, <c>No</c>, <c>Yes to All</c> ...) to answer questions with, in order.</param>
    public static PowerShellSession Start(params string[] answers)
    {
        var session = StartBare(answers);
        session.Invoke("Import-Module $args[0] -ErrorAction Stop", [], BuiltModule.Manifest).WithoutErrors();
        return session;
    }

    /// <summary>Starts an engine without the module.</summary>
    /// <param name="answers">The labels of the choices to answer questions with, in order.</param>
    public static PowerShellSession StartBare(params string[] answers) => Start(InitialSessionState.CreateDefault2(), answers);

    /// <summary>Starts an engine whose only views of the module's objects are those of one format file.</summary>
    /// <param name="formatFile">The format file.</param>
    public static PowerShellSession StartWithFormat(string formatFile)
    {
        var state = InitialSessionState.CreateDefault2();
        state.Formats.Add(new SessionStateFormatEntry(formatFile));
        return Start(state, []);
    }

    /// <summary>Runs a script.</summary>
    /// <param name="script">The script.</param>
    public SessionResult Invoke(string script) => Invoke(script, []);

    /// <summary>Runs a script with input and arguments.</summary>
    /// <param name="script">The script; <c>$input</c> is the input, <c>$args</c> the arguments.</param>
    /// <param name="input">The objects that <c>$input</c> enumerates.</param>
    /// <param name="arguments">The script's arguments.</param>
    public SessionResult Invoke(string script, IReadOnlyList<object> input, params object[] arguments)
    {
        using var shell = NewShell(script, arguments);
        var output = new PSDataCollection<PSObject>();
        RuntimeException? failure = null;
        try
        {
            shell.Invoke(input, output);
        }
        catch (RuntimeException exception)
        {
            failure = exception;
        }

        // PowerShell has already put a terminating error into the stream if it came through a pipeline of its own.
        var errors = shell.Streams.Error.ToList();
        if (failure is not null && !errors.Any(e => ReferenceEquals(e.Exception, failure.ErrorRecord.Exception)))
        {
            errors.Add(failure.ErrorRecord);
        }

        return new SessionResult(
            [.. output],
            errors,
            failure,
            [.. shell.Streams.Warning.Select(w => w.Message)],
            [.. shell.Streams.Verbose.Select(v => v.Message)],
            [.. shell.Streams.Information.Select(i => i.ToString())],
            [.. shell.Streams.Progress]);
    }

    /// <summary>Runs a script and stops it, as Ctrl+C does, at the first progress record that matches.</summary>
    /// <param name="script">The script.</param>
    /// <param name="moment">Recognises the record.</param>
    /// <returns>The output before the stop. Fails the test if the script ended by itself.</returns>
    public async Task<IReadOnlyList<PSObject>> StopAtAsync(string script, Predicate<ProgressRecord> moment)
    {
        using var shell = NewShell(script, []);
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var records = shell.Streams.Progress;
        records.DataAdded += (_, added) =>
        {
            if (moment(records[added.Index]))
            {
                reached.TrySetResult();
            }
        };
        using var output = new PSDataCollection<PSObject>();
        var run = shell.InvokeAsync<PSObject, PSObject>(null, output);
        await Task.WhenAny(reached.Task, run);
        await shell.StopAsync(null, null);
        await Assert.ThrowsAsync<PipelineStoppedException>(() => run);
        Assert.Equal(PSInvocationState.Stopped, shell.InvocationStateInfo.State);
        return [.. output];
    }

    /// <summary>Starts a script that runs while the test continues.</summary>
    public RunningScript Begin(string script, params object[] arguments) => new(NewShell(script, arguments));

    /// <summary>Returns what a user sees of a script's output: the lines that Out-Default writes through the format views.</summary>
    /// <param name="script">The script.</param>
    /// <param name="input">The objects that <c>$input</c> enumerates.</param>
    public string Render(string script, params object[] input)
    {
        using var shell = NewShell(script, []);
        shell.AddCommand("Out-Default");
        Host.Forget();
        shell.Invoke(input);
        Assert.Empty(shell.Streams.Error);
        return Host.Shown;
    }

    /// <summary>Returns what Tab offers at the end of a line.</summary>
    /// <param name="line">The line as typed so far.</param>
    public IReadOnlyList<CompletionResult> Complete(string line)
    {
        using var shell = System.Management.Automation.PowerShell.Create(runspace);
        return CommandCompletion.CompleteInput(line, line.Length, [], shell).CompletionMatches;
    }

    /// <summary>Closes the engine.</summary>
    public void Dispose() => runspace.Dispose();

    private static PowerShellSession Start(InitialSessionState state, string[] answers)
    {
        var host = new ScriptedHost(answers);
        var runspace = RunspaceFactory.CreateRunspace(host, state);
        runspace.Open();
        return new PowerShellSession(runspace, host);
    }

    private System.Management.Automation.PowerShell NewShell(string script, object[] arguments)
    {
        var shell = System.Management.Automation.PowerShell.Create(runspace);
        shell.AddScript(script);
        foreach (var argument in arguments)
        {
            shell.AddArgument(argument);
        }

        return shell;
    }
}
