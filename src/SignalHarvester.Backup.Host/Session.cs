namespace SignalHarvester.Backup.Host;

/// <summary>One start of the engine: imports the module and runs what the command line asks for.</summary>
internal sealed class Session : IDisposable
{
    private readonly Terminal terminal = new();
    private readonly StopSignals signals;
    private readonly ConsoleHost host;
    private readonly Engine engine;
    private readonly InteractivePrompt prompt;

    /// <summary>Starts the engine.</summary>
    public Session()
    {
        Keyboard keyboard = new();
        LineEditor editor = new(terminal, keyboard);
        Questions questions = new(terminal, editor, () => engine!.Stopping);
        ConsoleRawUserInterface raw = new(terminal, keyboard, () => engine!.Stopping);
        host = new ConsoleHost(terminal, new ConsoleUserInterface(terminal, questions, raw), () => prompt!.RunNested());
        engine = new Engine(host, terminal);
        signals = new StopSignals(engine.Stop);
        prompt = new InteractivePrompt(engine, host, terminal, editor, signals);
    }

    /// <summary>Imports the module, runs the command line, and gives the exit code of the process.</summary>
    public int Run(CommandLine commandLine)
    {
        Outcome outcome = engine.Import(ModuleLocator.Find(AppContext.BaseDirectory));
        if (outcome == Outcome.Succeeded)
        {
            outcome = this.RunCommand(commandLine);
        }

        return (outcome, host.RequestedExit) switch
        {
            (_, int requested) => requested,
            (Outcome.Succeeded, _) => ExitCode.Success,
            (Outcome.Stopped, _) when signals.Last > 0 => ExitCode.SignalBase + signals.Last,
            _ => ExitCode.Failure,
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        signals.Dispose();
        engine.Dispose();
        terminal.Dispose();
    }

    private Outcome RunCommand(CommandLine commandLine) => commandLine.Mode switch
    {
        RunMode.Command => engine.RunScript(commandLine.Text, StandardInput.For(commandLine.Text)),
        RunMode.File => engine.RunFile(commandLine.Text, commandLine.Arguments),
        RunMode.StandardInput => engine.RunScript(Console.In.ReadToEnd()),
        RunMode.Interactive => prompt.Run(),
        _ => throw new ArgumentOutOfRangeException(nameof(commandLine), commandLine.Mode, "This mode needs no engine."),
    };
}
