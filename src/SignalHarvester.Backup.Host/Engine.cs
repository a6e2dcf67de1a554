using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Management.Automation.Runspaces;
using Microsoft.PowerShell;

namespace SignalHarvester.Backup.Host;

/// <summary>The PowerShell engine: runs pipelines whose objects and errors end on the host's streams.</summary>
internal sealed class Engine : IDisposable
{
    // $? outlives only pipelines that go into the history.
    private static readonly PSInvocationSettings RememberedSettings = new() { AddToHistory = true };

    private readonly Runspace runspace;
    private readonly Terminal terminal;
    private readonly Lock gate = new();
    private CancellationTokenSource stopping = new();
    private PowerShell? running;
    private int depth;

    /// <summary>Starts the engine.</summary>
    public Engine(ConsoleHost host, Terminal terminal)
    {
        this.terminal = terminal;
        PSStyle.Instance.OutputRendering = terminal.HasColour ? OutputRendering.Host : OutputRendering.PlainText;
        InitialSessionState state = InitialSessionState.CreateDefault2();
        if (OperatingSystem.IsWindows())
        {
            // Who starts this program has chosen what it runs; the policy guards against double clicks.
            state.ExecutionPolicy = ExecutionPolicy.Bypass;
        }

        runspace = RunspaceFactory.CreateRunspace(host, state);
        runspace.ThreadOptions = PSThreadOptions.ReuseThread;
        runspace.Open();
        Runspace.DefaultRunspace = runspace;
    }

    /// <summary>Gets the token that is cancelled when the running pipeline is stopped.</summary>
    public CancellationToken Stopping => stopping.Token;

    /// <summary>Allows to run again after a stop.</summary>
    public void Renew()
    {
        lock (gate)
        {
            if (stopping.IsCancellationRequested)
            {
                stopping.Dispose();
                stopping = new CancellationTokenSource();
            }
        }
    }

    /// <summary>Begins to stop the running pipeline and whatever it asks, and returns at once.</summary>
    public void Stop()
    {
        lock (gate)
        {
            stopping.Cancel();
            running?.BeginStop(callback: null, state: null);
        }
    }

    /// <summary>Imports the module for the session.</summary>
    public Outcome Import(string path) =>
        this.Run(new Command("Import-Module") { Parameters = { { "Name", path }, { "ErrorAction", ActionPreference.Stop } } });

    /// <summary>Runs text as PowerShell, in the global scope.</summary>
    /// <param name="text">The script.</param>
    /// <param name="input">What <c>$input</c> enumerates, if anything.</param>
    public Outcome RunScript(string text, IEnumerable? input = null)
    {
        Parser.ParseInput(text, out _, out ParseError[] errors);
        return errors.Length > 0
            ? this.Refuse(errors)
            : this.Run(new Command(text, isScript: true, useLocalScope: false), input);
    }

    /// <summary>Runs a script file, in the global scope.</summary>
    /// <param name="path">Its full path.</param>
    /// <param name="arguments">Its arguments, as <see cref="ScriptArguments"/> explains them.</param>
    public Outcome RunFile(string path, IEnumerable<string> arguments)
    {
        ScriptBlockAst script = Parser.ParseFile(path, out _, out ParseError[] errors);
        if (errors.Length > 0)
        {
            return this.Refuse(errors);
        }

        // As a function: the engine would keep the exit code of a script file to itself.
        string name = Path.GetFileName(path);
        runspace.SessionStateProxy.InvokeProvider.Item.Set([$"function:{name}"], script.GetScriptBlock(), force: true, literalPath: true);
        return this.Run(ScriptArguments.Bind(name, arguments));
    }

    /// <summary>Runs a command, renders what it emits, and waits until it is done or stopped.</summary>
    public Outcome Run(Command command, IEnumerable? input = null)
    {
        using PowerShell pipeline = this.Create();
        return this.Run(pipeline, command, input);
    }

    /// <summary>Does something from inside the running pipeline, such as a nested prompt, that runs commands itself.</summary>
    public void Nest(Action body)
    {
        depth++;
        try
        {
            body();
        }
        finally
        {
            depth--;
        }
    }

    /// <summary>Evaluates text that emits one object and shows nothing.</summary>
    public object? Evaluate(string text)
    {
        using PowerShell pipeline = this.Create();
        return pipeline.AddScript(text).Invoke().FirstOrDefault()?.BaseObject;
    }

    /// <summary>Completes what is typed.</summary>
    public CommandCompletion Complete(string text, int position)
    {
        using PowerShell pipeline = this.Create();
        return CommandCompletion.CompleteInput(text, position, options: null, pipeline);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        runspace.Dispose();
        stopping.Dispose();
    }

    private PowerShell Create() =>
        depth > 0 ? PowerShell.Create(RunspaceMode.CurrentRunspace) : PowerShell.Create(runspace);

    private Outcome Run(PowerShell pipeline, Command command, IEnumerable? input)
    {
        command.MergeMyResults(PipelineResultTypes.Error, PipelineResultTypes.Output);
        pipeline.Commands.AddCommand(command);
        pipeline.AddCommand("Out-Default");
        PowerShell? outer;
        lock (gate)
        {
            if (stopping.IsCancellationRequested)
            {
                return Outcome.Stopped;
            }

            outer = running;
            running ??= pipeline;
        }

        try
        {
            pipeline.Invoke(input, RememberedSettings);
            if (pipeline.InvocationStateInfo.State == PSInvocationState.Stopped)
            {
                return Outcome.Stopped;
            }

            return this.Evaluate("$global:?") is false ? Outcome.Failed : Outcome.Succeeded;
        }
        catch (PipelineStoppedException)
        {
            return Outcome.Stopped;
        }
        catch (RuntimeException error)
        {
            this.Report(error.ErrorRecord);
            return Outcome.Failed;
        }
        finally
        {
            lock (gate)
            {
                running = outer;
            }

            terminal.EndProgress();
        }
    }

    private Outcome Refuse(ParseError[] errors)
    {
        this.Report(new ParseException(errors).ErrorRecord);
        return Outcome.Failed;
    }

    // A terminating error is rendered by the engine's own views, like any other.
    private void Report(ErrorRecord error)
    {
        using PowerShell pipeline = this.Create();
        terminal.OutGoesToError = true;
        try
        {
            pipeline.AddCommand("Out-Default").AddParameter("InputObject", error).Invoke();
        }
        finally
        {
            terminal.OutGoesToError = false;
        }
    }
}
