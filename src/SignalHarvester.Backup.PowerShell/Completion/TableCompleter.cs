using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using SignalHarvester.Backup.Catalog;

namespace SignalHarvester.Backup.PowerShell.Completion;

/// <summary>Completes the tables that the backups of a directory hold; of one backup, where the command line names it.</summary>
public sealed class TableCompleter : IArgumentCompleter
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
        var backups = Backups(CompletedDirectory.Path(fakeBoundParameters));
        var named = backups.Where(backup => backup.Id == fakeBoundParameters["Id"] as string).ToList();
        return (named.Count > 0 ? named : backups)
            .SelectMany(backup => backup.RowCounts?.Keys ?? [])
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .Where(pattern.IsMatch)
            .Order(StringComparer.Ordinal)
            .Select(table => new CompletionResult(CompletedWord.Quoted(table), table, CompletionResultType.ParameterValue, table));
    }

    private static IReadOnlyList<BackupMetadata> Backups(string directory)
    {
        try
        {
            return new BackupDirectory(directory, TimeProvider.System).List().Backups;
        }
        catch (BackupException)
        {
            // A directory that cannot be listed has nothing to offer; the cmdlet itself will say why.
            return [];
        }
    }
}
