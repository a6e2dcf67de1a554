using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace SignalHarvester.Backup.PowerShell.Completion;

/// <summary>Completes words for a parameter, each with its meaning as the tooltip.</summary>
public abstract class WordCompleter : IArgumentCompleter
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
        return Words(parameterName, fakeBoundParameters)
            .Where(word => pattern.IsMatch(word.Text))
            .Select(word => new CompletionResult(CompletedWord.Literal(word.Text), word.Text, CompletionResultType.ParameterValue, word.Meaning));
    }

    /// <summary>Returns the words in the order in which they are offered, each with its meaning.</summary>
    /// <param name="parameter">The parameter's name.</param>
    /// <param name="given">The other parameters of the line.</param>
    protected abstract IEnumerable<(string Text, string Meaning)> Words(string parameter, IDictionary given);
}
