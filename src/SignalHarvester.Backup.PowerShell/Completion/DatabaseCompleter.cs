using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.History;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.PowerShell.Completion;

/// <summary>
/// Completes the databases in a backup directory's backups and history: by their file names, or by their paths if two share one.
/// </summary>
public sealed class DatabaseCompleter : IArgumentCompleter
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
        var directory = new BackupDirectory(CompletedDirectory.Path(fakeBoundParameters), TimeProvider.System);
        return CompletedDirectory.Backups(fakeBoundParameters).Select(backup => backup.DatabasePath).OfType<string>().Concat(OfHistory(directory))
            .Distinct(StringComparer.Ordinal)
            .GroupBy(CompletedWord.FileName, StringComparer.Ordinal)
            .SelectMany(same => same.Count() == 1 ? [(Text: same.Key, Path: same.First())] : same.Select(path => (Text: path, Path: path)))
            .Where(database => pattern.IsMatch(database.Text) || pattern.IsMatch(database.Path))
            .OrderBy(database => database.Text, StringComparer.Ordinal)
            .Select(database => new CompletionResult(CompletedWord.Quoted(database.Text), database.Text, CompletionResultType.ParameterValue, database.Path));
    }

    private static IReadOnlyList<string> OfHistory(BackupDirectory directory)
    {
        try
        {
            var context = new OperationContext(TimeProvider.System, _ => { }, CancellationToken.None);
            return new EventHistory(directory).ReadDatabases(context);
        }
        catch (BackupException)
        {
            // An unreadable directory or history offers nothing; the cmdlet itself will report why.
            return [];
        }
    }
}
