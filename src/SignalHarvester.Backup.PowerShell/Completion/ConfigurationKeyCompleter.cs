using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace SignalHarvester.Backup.PowerShell.Completion;

/// <summary>Completes keys of the configuration, and shows their effective values.</summary>
public sealed class ConfigurationKeyCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName,
        string parameterName,
        string wordToComplete,
        CommandAst commandAst,
        IDictionary fakeBoundParameters)
    {
        ArgumentNullException.ThrowIfNull(fakeBoundParameters);
        var pattern = CompletedWord.Pattern(wordToComplete);
        return CompletedDirectory.Settings(fakeBoundParameters)
            .Where(setting => pattern.IsMatch(setting.Key))
            .Select(setting => new CompletionResult(
                setting.Key, setting.Key, CompletionResultType.ParameterValue, setting.Value is { Length: > 0 } value ? value : setting.Key));
    }
}
