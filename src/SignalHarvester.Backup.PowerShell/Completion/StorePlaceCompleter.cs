using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace SignalHarvester.Backup.PowerShell.Completion;

/// <summary>Completes the names of the configuration's stores, and folders, which are stores too.</summary>
public sealed class StorePlaceCompleter : IArgumentCompleter
{
    private readonly StoreNameCompleter names = new();

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName,
        string parameterName,
        string wordToComplete,
        CommandAst commandAst,
        IDictionary fakeBoundParameters) =>
        names.CompleteArgument(commandName, parameterName, wordToComplete, commandAst, fakeBoundParameters)
            .Concat(CompletionCompleters.CompleteFilename(wordToComplete ?? string.Empty)
                .Where(offered => offered.ResultType == CompletionResultType.ProviderContainer));
}
