using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace SignalHarvester.Backup.PowerShell.Completion;

/// <summary>Completes folders, and of the files only those that can be meant.</summary>
public abstract class FileCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName,
        string parameterName,
        string wordToComplete,
        CommandAst commandAst,
        IDictionary fakeBoundParameters) =>
        CompletionCompleters.CompleteFilename(wordToComplete ?? string.Empty)
            .Where(offered => offered.ResultType != CompletionResultType.ProviderItem || IsMeant(offered.ToolTip));

    /// <summary>Whether a file can be meant.</summary>
    /// <param name="path">Its full path.</param>
    protected abstract bool IsMeant(string path);
}
