using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;

namespace SignalHarvester.Backup.Host;

/// <summary>Brings the engine's text, progress and questions to the terminal: objects to standard output, the rest to standard error.</summary>
internal sealed class ConsoleUserInterface(Terminal terminal, Questions questions, ConsoleRawUserInterface raw) : PSHostUserInterface
{
    /// <inheritdoc/>
    public override PSHostRawUserInterface RawUI => raw;

    /// <inheritdoc/>
    public override bool SupportsVirtualTerminal => terminal.HasColour;

    private static PSStyle.FormattingData Style => PSStyle.Instance.Formatting;

    /// <inheritdoc/>
    public override void Write(string value) => terminal.Out(value);

    /// <inheritdoc/>
    public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value) =>
        terminal.Out(this.Coloured(foregroundColor, backgroundColor, value));

    /// <inheritdoc/>
    public override void WriteLine(string value) => terminal.Out(value + Environment.NewLine);

    /// <inheritdoc/>
    public override void WriteErrorLine(string value) => this.WriteMessage(Style.Error, value);

    /// <inheritdoc/>
    public override void WriteWarningLine(string message) => this.WriteMessage(Style.Warning, "WARNING: " + message);

    /// <inheritdoc/>
    public override void WriteVerboseLine(string message) => this.WriteMessage(Style.Verbose, "VERBOSE: " + message);

    /// <inheritdoc/>
    public override void WriteDebugLine(string message) => this.WriteMessage(Style.Debug, "DEBUG: " + message);

    /// <inheritdoc/>
    public override void WriteProgress(long sourceId, ProgressRecord record) => terminal.Progress(sourceId, record);

    /// <inheritdoc/>
    public override string ReadLine() => questions.ReadLine(string.Empty);

    /// <inheritdoc/>
    public override SecureString ReadLineAsSecureString() => questions.ReadSecret(string.Empty);

    /// <inheritdoc/>
    public override Dictionary<string, PSObject> Prompt(string caption, string message, Collection<FieldDescription> descriptions) =>
        questions.Values(caption, message, descriptions);

    /// <inheritdoc/>
    public override int PromptForChoice(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice) =>
        questions.Choice(caption, message, choices, defaultChoice);

    /// <inheritdoc/>
    public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) =>
        questions.Credential(caption, message, userName)!;

    /// <inheritdoc/>
    public override PSCredential PromptForCredential(
        string caption,
        string message,
        string userName,
        string targetName,
        PSCredentialTypes allowedCredentialTypes,
        PSCredentialUIOptions options) => this.PromptForCredential(caption, message, userName, targetName);

    private void WriteMessage(string style, string text) =>
        terminal.Error(style + text + PSStyle.Instance.Reset + Environment.NewLine);

    // The engine passes the screen's own colours where it means none.
    private string Coloured(ConsoleColor foreground, ConsoleColor background, string value)
    {
        string colour = (foreground == raw.ForegroundColor ? string.Empty : PSStyle.MapForegroundColorToEscapeSequence(foreground))
            + (background == raw.BackgroundColor ? string.Empty : PSStyle.MapBackgroundColorToEscapeSequence(background));
        return colour.Length == 0 ? value : colour + value + PSStyle.Instance.Reset;
    }
}
