using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace SignalHarvester.Backup.PowerShell.Completion;

/// <summary>Completes the names of the configuration's stores, and shows their addresses.</summary>
public sealed class StoreNameCompleter : IArgumentCompleter
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
        return CompletedDirectory.Stores(fakeBoundParameters)
            .Where(store => pattern.IsMatch(store.Name))
            .Select(store => new CompletionResult(store.Name, store.Name, CompletionResultType.ParameterValue, store.Location.ToString()));
    }
}
