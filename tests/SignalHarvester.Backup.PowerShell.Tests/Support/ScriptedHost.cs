using System.Globalization;
using System.Management.Automation.Host;

namespace SignalHarvester.Backup.PowerShell.Tests.Support;

/// <summary>A host that answers questions from a script and keeps the questions and the output.</summary>
/// <param name="answers">The labels of the choices to take, in order.</param>
internal sealed class ScriptedHost(IEnumerable<string> answers) : PSHost
{
    private readonly ScriptedUserInterface ui = new(answers);

    /// <summary>The questions asked so far, caption and message.</summary>
    public IReadOnlyList<string> Questions => ui.Questions;

    /// <summary>The labels of the choices that Enter takes, one for each question.</summary>
    public IReadOnlyList<string> Defaults => ui.Defaults;

    /// <summary>The lines shown so far.</summary>
    public string Shown => ui.Shown;

    /// <inheritdoc/>
    public override CultureInfo CurrentCulture => CultureInfo.InvariantCulture;

    /// <inheritdoc/>
    public override CultureInfo CurrentUICulture { get; } = CultureInfo.GetCultureInfo("en-US");

    /// <inheritdoc/>
    public override Guid InstanceId { get; } = Guid.NewGuid();

    /// <inheritdoc/>
    public override string Name => "Tests";

    /// <inheritdoc/>
    public override PSHostUserInterface UI => ui;

    /// <inheritdoc/>
    public override Version Version { get; } = new(1, 0);

    /// <summary>Forgets what was shown.</summary>
    public void Forget() => ui.Forget();

    /// <inheritdoc/>
    public override void EnterNestedPrompt() => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void ExitNestedPrompt() => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void NotifyBeginApplication()
    {
    }

    /// <inheritdoc/>
    public override void NotifyEndApplication()
    {
    }

    /// <inheritdoc/>
    public override void SetShouldExit(int exitCode)
    {
    }
}
