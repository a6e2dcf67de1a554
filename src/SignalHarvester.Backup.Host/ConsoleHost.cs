using System.Globalization;
using System.Management.Automation.Host;

namespace SignalHarvester.Backup.Host;

/// <summary>The host that the engine runs in.</summary>
/// <param name="terminal">The streams of the process.</param>
/// <param name="ui">The user interface on them.</param>
/// <param name="nestedPrompt">Reads and runs commands until <c>exit</c>, while a pipeline waits.</param>
internal sealed class ConsoleHost(Terminal terminal, ConsoleUserInterface ui, Action nestedPrompt) : PSHost
{
    /// <inheritdoc/>
    public override string Name => "shbackup";

    /// <inheritdoc/>
    public override Version Version { get; } = typeof(ConsoleHost).Assembly.GetName().Version!;

    /// <inheritdoc/>
    public override Guid InstanceId { get; } = Guid.NewGuid();

    /// <inheritdoc/>
    public override PSHostUserInterface UI => ui;

    /// <inheritdoc/>
    public override CultureInfo CurrentCulture => CultureInfo.CurrentCulture;

    /// <inheritdoc/>
    public override CultureInfo CurrentUICulture => CultureInfo.CurrentUICulture;

    /// <summary>Gets or sets the code of <c>exit</c>, once a script called it.</summary>
    public int? RequestedExit { get; set; }

    /// <inheritdoc/>
    public override void SetShouldExit(int exitCode) => this.RequestedExit = exitCode;

    /// <inheritdoc/>
    public override void EnterNestedPrompt() => nestedPrompt();

    /// <inheritdoc/>
    public override void ExitNestedPrompt() => this.RequestedExit = 0;

    /// <inheritdoc/>
    public override void NotifyBeginApplication() => terminal.HoldProgress();

    /// <inheritdoc/>
    public override void NotifyEndApplication() => terminal.ReleaseProgress();
}
