using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Language;
using SignalHarvester.Backup.PowerShell.Commands;

namespace SignalHarvester.Backup.PowerShell.Completion;

/// <summary>Completes ids of backups, newest first, and shows date, type and size of each.</summary>
public sealed class BackupIdCompleter : IArgumentCompleter
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
        return CompletedDirectory.Backups(fakeBoundParameters)
            .Where(backup => pattern.IsMatch(backup.Id))
            .Select(backup => new CompletionResult(backup.Id, backup.Id, CompletionResultType.ParameterValue, Describe(backup)));
    }

    private static string Describe(BackupMetadata backup) => string.Create(
        CultureInfo.InvariantCulture,
        $"{backup.Timestamp.UtcDateTime:yyyy-MM-dd HH:mm} UTC, {backup.Type}, {ProgressView.Size(backup.Size)}{(backup.DatabasePath is { } path ? ", " + Path.GetFileName(path) : string.Empty)}");
}
