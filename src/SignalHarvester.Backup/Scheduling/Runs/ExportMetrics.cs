using System.Globalization;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.Metrics;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Scheduling.Runs;

/// <summary>The last step of a run: exports metrics as configured. A failure here does not make the run fail.</summary>
/// <param name="definition">The schedule.</param>
/// <param name="settings">The settings.</param>
/// <param name="recorder">Where the steps are noted.</param>
/// <param name="context">Clock, messages, cancellation.</param>
internal sealed class ExportMetrics(ScheduleDefinition definition, BackupSettings settings, StepRecorder recorder, OperationContext context)
{
    private const string Step = "Metrics";
    private const string Job = "signal_harvester_backup";

    /// <summary>Exports the metrics of a run's directories.</summary>
    /// <param name="directories">The backup directories.</param>
    /// <param name="databases">The run's databases.</param>
    public void Run(IReadOnlyList<string> directories, IReadOnlyCollection<string> databases)
    {
        if (settings.Metrics is { Textfile: null, PushGateway: null })
        {
            return;
        }

        foreach (var (number, directory) in directories.Where(Directory.Exists).Index())
        {
            try
            {
                Export(directory, number, isOneOfSeveral: directories.Count > 1, databases);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                // Whatever happened: the backups are made, and the result of the run still has to be stored.
                context.Warn($"The metrics of '{directory}' could not be exported: {exception.Message}");
                recorder.Warn(new ScheduleStep { Step = Step, Target = directory }, exception.Message);
            }
        }
    }

    private void Export(string directory, int number, bool isOneOfSeveral, IReadOnlyCollection<string> databases)
    {
        var options = new MetricOptions { ExpectedInterval = database => Expected(database, databases) };
        var suffix = string.Empty;
        if (isOneOfSeveral)
        {
            // Several directories share one file or group, so each has a label of its own.
            options = options with { Labels = new Dictionary<string, string> { ["directory"] = directory } };
            suffix = number == 0 ? string.Empty : string.Create(CultureInfo.InvariantCulture, $"-{number + 1}");
        }

        var text = MetricText.Of(new BackupDirectory(directory, context.Clock), options, context);
        if (settings.Metrics.Textfile is { } file)
        {
            MetricFile.Write(Path.ChangeExtension(file, null) + suffix + Path.GetExtension(file), text);
        }

        if (settings.Metrics.PushGateway is { } gateway)
        {
            MetricPush.Run(gateway, Job, Environment.MachineName + suffix, text, context.Cancellation);
        }

        recorder.Do(new ScheduleStep { Step = Step, Target = directory }, step => step with { Detail = "exported" });
    }

    /// <summary>Returns the shortest period of all schedules that back up a database: another schedule may promise more.</summary>
    private TimeSpan? Expected(string database, IReadOnlyCollection<string> databases) => ScheduleRegistry.All()
        .Where(other => other.Job.Action == ScheduleAction.Backup && Covers(other, database, databases))
        .Select(other => (TimeSpan?)other.Trigger.Period)
        .Min();

    private bool Covers(ScheduleDefinition other, string database, IReadOnlyCollection<string> databases) =>
        other.Key == definition.Key && other.Scope == definition.Scope ? databases.Contains(database)
        : other.Job.Databases.Count == 0 ? other.Job.ConfigurationPath == definition.Job.ConfigurationPath
            && settings.Databases.Any(known => known.Path == database)
        // What its wildcards match is known after its run.
        : other.Job.Databases.Contains(database) || ScheduleStore.Of(other.Scope).ReadState(other.Key)?.Databases.Contains(database) == true;
}
