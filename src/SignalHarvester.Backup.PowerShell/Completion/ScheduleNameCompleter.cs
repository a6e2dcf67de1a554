using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using SignalHarvester.Backup.Scheduling;

namespace SignalHarvester.Backup.PowerShell.Completion;

/// <summary>Completes names of schedules, and shows when each is due.</summary>
public sealed class ScheduleNameCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName,
        string parameterName,
        string wordToComplete,
        CommandAst commandAst,
        IDictionary fakeBoundParameters)
    {
        var word = (wordToComplete ?? string.Empty).Trim('\'', '"');
        return Schedules()
            .Where(schedule => schedule.Name.StartsWith(word, StringComparison.OrdinalIgnoreCase))
            .Select(schedule => new CompletionResult(Word(schedule.Name), schedule.Name, CompletionResultType.ParameterValue, schedule.Trigger.ToString()));
    }

    private static IReadOnlyList<ScheduleDefinition> Schedules()
    {
        try
        {
            return ScheduleRegistry.All();
        }
        catch (BackupException)
        {
            // Tab cannot show an error; the cmdlet itself will report why.
            return [];
        }
    }

    /// <summary>Returns a name in its form on a command line.</summary>
    private static string Word(string name) =>
        name.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.') && char.IsAsciiLetterOrDigit(name[0])
            ? name
            : $"'{CodeGeneration.EscapeSingleQuotedStringContent(name)}'";
}
