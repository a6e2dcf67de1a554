using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.History;
using SignalHarvester.Backup.Operations;

namespace SignalHarvester.Backup.PowerShell.Completion;

/// <summary>Completes the databases that a history knows, by their file names; where two share one, by their paths.</summary>
public sealed class HistoryDatabaseCompleter : IArgumentCompleter
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
        var pattern = WildcardPattern.Get((wordToComplete ?? string.Empty).Trim('\'', '"') + "*", WildcardOptions.IgnoreCase);
        return Databases(CompletedDirectory.Path(fakeBoundParameters))
            .GroupBy(path => Path.GetFileName(path), StringComparer.Ordinal)
            .SelectMany(same => same.Count() == 1 ? [(Text: same.Key, Path: same.First())] : same.Select(path => (Text: path, Path: path)))
            .Where(database => pattern.IsMatch(database.Text) || pattern.IsMatch(database.Path))
            .OrderBy(database => database.Text, StringComparer.Ordinal)
            .Select(database => new CompletionResult(Quoted(database.Text), database.Text, CompletionResultType.ParameterValue, database.Path));
    }

    private static IReadOnlyList<string> Databases(string directory)
    {
        try
        {
            var context = new OperationContext(TimeProvider.System, _ => { }, CancellationToken.None);
            return [.. new EventHistory(new BackupDirectory(directory, TimeProvider.System)).Read(new EventQuery(), context)
                .Select(told => told.Database).OfType<string>().Distinct(StringComparer.Ordinal)];
        }
        catch (BackupException)
        {
            // What cannot be read has nothing to offer; the cmdlet itself will say why.
            return [];
        }
    }

    private static string Quoted(string text)
    {
        var literal = WildcardPattern.Escape(text);
        return literal.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '/' or '\\' or ':') ? literal : $"'{literal.Replace("'", "''", StringComparison.Ordinal)}'";
    }
}
