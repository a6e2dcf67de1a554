using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using SignalHarvester.Backup.PowerShell.Commands;
using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.PowerShell.Completion;

/// <summary>Completes the tables in the backups of a directory, or in one backup if the command line names it.</summary>
public sealed class TableCompleter : IArgumentCompleter
{
    private const string RestoreCommand = "Restore-SHBackup";

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName,
        string parameterName,
        string wordToComplete,
        CommandAst commandAst,
        IDictionary fakeBoundParameters)
    {
        ArgumentNullException.ThrowIfNull(fakeBoundParameters);
        var pattern = CompletedWord.Beginning(wordToComplete);
        var backups = CompletedDirectory.Backups(fakeBoundParameters);

        // A restore takes literal names of tables, a comparison takes patterns.
        Func<string, string> word = commandName == RestoreCommand ? CompletedWord.Literal : CompletedWord.Quoted;
        var named = backups.Where(backup => backup.Id == fakeBoundParameters["Id"] as string).ToList();
        return (named.Count > 0 ? named : backups)
            .SelectMany(backup => backup.RowCounts?.Keys ?? [])
            .Select(SqliteName.Parse)
            .Distinct()
            .Where(name => TablePattern.IsLike(pattern, name))
            .Select(name => name.ToString())
            .Order(StringComparer.Ordinal)
            .Select(table => new CompletionResult(word(table), table, CompletionResultType.ParameterValue, table));
    }
}
