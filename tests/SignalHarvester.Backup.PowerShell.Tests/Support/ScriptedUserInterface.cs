using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Management.Automation.Internal;
using System.Security;
using System.Text;

namespace SignalHarvester.Backup.PowerShell.Tests.Support;

/// <summary>The user interface of <see cref="ScriptedHost"/>: 120 columns wide, plain text.</summary>
/// <param name="answers">The labels of the choices to take, in order.</param>
internal sealed class ScriptedUserInterface(IEnumerable<string> answers) : PSHostUserInterface
{
    private readonly Queue<string> answers = new(answers);
    private readonly StringBuilder shown = new();
    private readonly List<string> questions = [];
    private readonly List<string> defaults = [];

    /// <summary>The questions asked so far, caption and message.</summary>
    public IReadOnlyList<string> Questions => questions;

    /// <summary>The labels of the choices that Enter takes, one for each question.</summary>
    public IReadOnlyList<string> Defaults => defaults;

    /// <summary>The lines shown so far, without colours.</summary>
    public string Shown => new StringDecorated(shown.ToString()).ToString(OutputRendering.PlainText);

    /// <inheritdoc/>
    public override PSHostRawUserInterface RawUI { get; } = new FixedRawUserInterface();

    /// <summary>Forgets what was shown.</summary>
    public void Forget() => shown.Clear();

    /// <inheritdoc/>
    public override int PromptForChoice(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice)
    {
        questions.Add($"{caption}: {message}");
        defaults.Add(Label(choices[defaultChoice]));
        if (!answers.TryDequeue(out var answer))
        {
            throw new InvalidOperationException($"The test has no answer to: {message}");
        }

        var index = choices.ToList().FindIndex(c => Label(c) == answer);
        return index >= 0 ? index : throw new InvalidOperationException($"'{answer}' is not offered by: {message}");
    }

    private static string Label(ChoiceDescription choice) => choice.Label.Replace("&", string.Empty, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override Dictionary<string, PSObject> Prompt(string caption, string message, Collection<FieldDescription> descriptions) =>
        throw new InvalidOperationException($"A value was asked for that no test gives: {string.Join(", ", descriptions.Select(d => d.Name))}");

    /// <inheritdoc/>
    public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) =>
        throw new NotSupportedException();

    /// <inheritdoc/>
    public override PSCredential PromptForCredential(
        string caption, string message, string userName, string targetName, PSCredentialTypes allowedCredentialTypes, PSCredentialUIOptions options) =>
        throw new NotSupportedException();

    /// <inheritdoc/>
    public override string ReadLine() => throw new NotSupportedException();

    /// <inheritdoc/>
    public override SecureString ReadLineAsSecureString() => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(string value) => shown.Append(value);

    /// <inheritdoc/>
    public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value) => shown.Append(value);

    /// <inheritdoc/>
    public override void WriteLine(string value) => shown.AppendLine(value);

    /// <inheritdoc/>
    public override void WriteDebugLine(string message) => WriteLine("DEBUG: " + message);

    /// <inheritdoc/>
    public override void WriteErrorLine(string value) => WriteLine("ERROR: " + value);

    /// <inheritdoc/>
    public override void WriteVerboseLine(string message) => WriteLine("VERBOSE: " + message);

    /// <inheritdoc/>
    public override void WriteWarningLine(string message) => WriteLine("WARNING: " + message);

    /// <inheritdoc/>
    public override void WriteProgress(long sourceId, ProgressRecord record)
    {
        // The session's progress stream has them; a screen would be no place to test them.
    }
}
