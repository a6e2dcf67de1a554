using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.PowerShell.Completion;

/// <summary>Completes the columns of a table in the condition of a restore of rows: those of the database that gets the rows.</summary>
public sealed class ColumnCompleter : IArgumentCompleter
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
        if (fakeBoundParameters["Into"] is not string into || Table(fakeBoundParameters["Table"]) is not { } table)
        {
            return [];
        }

        var typed = (wordToComplete ?? string.Empty).Trim('\'', '"');
        var begun = typed[(typed.LastIndexOf(' ') + 1)..];
        return DatabaseFiles.Columns(CompletedDirectory.FullPath(into), table)
            .Where(column => column.StartsWith(begun, StringComparison.OrdinalIgnoreCase))
            .Select(column => new CompletionResult(
                $"'{CodeGeneration.EscapeSingleQuotedStringContent(typed[..^begun.Length] + column)}'", column, CompletionResultType.ParameterValue,
                $"a column of {table}"));
    }

    private static string? Table(object? given) => given switch
    {
        string one => one,
        object[] { Length: > 0 } several => several[0] as string,
        _ => null,
    };
}
