using System.Management.Automation;
using SignalHarvester.Backup.Configuration;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.PowerShell.Binding;
using SignalHarvester.Backup.PowerShell.Completion;
using SignalHarvester.Backup.Scheduling;
using SignalHarvester.Backup.Scheduling.Runs;
using SignalHarvester.Backup.Text;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Runs a schedule now. The operating system's task calls it; call it yourself to try a schedule.</summary>
/// <remarks>
/// <para>Makes a backup of each database, verified before it is published; sends it to the object stores; applies the
/// retention rules; exports metrics. A failed step is an error and stops no step that can still help; a failed database
/// does not stop the others. Emits one object with all steps.</para>
/// <para>Sets $LASTEXITCODE as a program would: 0 for success or nothing to do, 3 if a part failed, 1 if everything
/// failed. The tasks end with that exit code.</para>
/// <para>A continuous schedule runs until it is stopped (Ctrl+C, SIGTERM, Stop-SHBackupProtection, Unregister-SHBackupSchedule), and then
/// emits one step for each database. Its exit code is 4 if a person has to decide first: another writer has continued the stream, or the
/// database cannot be protected here.</para>
/// <para>With -AsLog it emits lines of text in logfmt instead: key=value, in quotes where a value needs them. Keys are time, schedule, database,
/// step, result, then directory or store, id, type, size (bytes), ratio, verified, seconds, error (the stable id) and detail.</para>
/// <para>While a run of a schedule is in progress, a second run exits at once with a warning.</para>
/// <para>SIGTERM stops it as Ctrl+C does: it removes unfinished files, and the moment counts as missed, so the run is made up.</para>
/// </remarks>
/// <example>
/// <para>Try a schedule</para>
/// <code>Register-SHBackupSchedule trial -Daily -DatabasePath ./app.db -BackupDirectory ./backups | Invoke-SHBackupSchedule</code>
/// <para>Runs it whether or not it is due.</para>
/// </example>
/// <example>
/// <para>Show the steps of a run, and its exit code</para>
/// <code>
/// Register-SHBackupSchedule steps -Every 12h -DatabasePath ./app.db -BackupDirectory ./backups | Out-Null;
/// (Invoke-SHBackupSchedule steps).Steps;
/// $LASTEXITCODE
/// </code>
/// <para>The code is that of the task's process.</para>
/// </example>
/// <example>
/// <para>Run a schedule as its task does, and keep the log</para>
/// <code>
/// Register-SHBackupSchedule logged -Daily -DatabasePath ./app.db -BackupDirectory ./backups | Out-Null;
/// Invoke-SHBackupSchedule logged -AsLog
/// </code>
/// <para>Emits a line for each step: time=2026-11-22T02:00:03Z schedule=logged database=/srv/app.db step=create result=succeeded ...</para>
/// </example>
/// <seealso>Register-SHBackupSchedule</seealso>
/// <seealso>Get-SHBackupHistory</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsLifecycle.Invoke, "SHBackupSchedule", SupportsShouldProcess = true, HelpUri = HelpPages.Folder + "Invoke-SHBackupSchedule.md")]
[OutputType(typeof(ScheduleRun), typeof(string))]
public sealed class InvokeSHBackupScheduleCommand : ScheduleCommand
{
    private const string ExitCodeVariable = "global:LASTEXITCODE";

    private readonly List<int> codes = [];

    /// <summary>The schedule's name. Tab completes it.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(ScheduleNameCompleter))]
    [NameOf(typeof(BackupSchedule))]
    [ValidateNotNullOrEmpty]
    public string Name { get; set; } = string.Empty;

    /// <summary>Runs it only if a moment has come that no run has served. The tasks use this, because some schedulers start them too often.</summary>
    [Parameter]
    public SwitchParameter IfDue { get; set; }

    /// <summary>The number of databases to work on at once, 1 to 64. Without it, the registered or configured number.</summary>
    [Parameter]
    [ValidateRange(1, 64)]
    public int? ThrottleLimit { get; set; }

    /// <summary>
    /// Emits a line of text for each step as it ends, and one for the whole run, instead of an object. The tasks use this, for a mail, a
    /// journal or a log collector. A run that is not due emits nothing.
    /// </summary>
    [Parameter]
    public SwitchParameter AsLog { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        SetExitCode(1);
        if (AsLog)
        {
            Runner.Log = WriteObject;
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        codes.Add(1);
        this.ReportErrors(() =>
        {
            var definition = ScheduleRegistry.Get(Name, Scope);
            if (ShouldProcess($"{definition.Name} ({definition.Trigger})", "Run schedule"))
            {
                Run(definition);
            }
            else
            {
                codes[^1] = 0;
            }
        });
        SetExitCode(codes.TrueForAll(code => code == codes[0]) ? codes[0] : ScheduleRun.PartialExitCode);
    }

    private void Run(ScheduleDefinition definition)
    {
        using var session = new ScheduleRunner(definition, IfDue, TimeProvider.System);
        var run = Run(definition, session);
        codes[^1] = run.ExitCode;
        if (!AsLog)
        {
            WriteObject(run);
        }
    }

    private ScheduleRun Run(ScheduleDefinition definition, ScheduleRunner session)
    {
        if (session.WhyNot is { } reason)
        {
            return Skip(definition, session, reason, isWarning: session.IsRunningElsewhere);
        }

        BackupSettings settings;
        try
        {
            settings = session.Settings(Configured(definition.Job.ConfigurationPath));
        }
        catch (BackupException exception)
        {
            Tell(exception);
            return Runner.Run(context => session.Fail(exception, context));
        }

        if (!settings.Enabled)
        {
            return Skip(definition, session, $"it is switched off in '{definition.Job.ConfigurationPath}'", isWarning: false);
        }

        settings = settings with { ThrottleLimit = ThrottleLimit ?? settings.ThrottleLimit };
        if (IfDue)
        {
            Runner.Run(context => session.Delay(context));
        }

        var sources = Sources(definition.Job, settings);
        var faults = new List<BackupException>();
        var run = Runner.Run(context => session.Run(sources, settings, faults.Add, context));
        faults.ForEach(Tell);
        return run;
    }

    /// <summary>Writes an error; in a log on one line, so that no name of a file can pass for a line of its own.</summary>
    private void Tell(BackupException fault) =>
        WriteError((AsLog ? new BackupException(fault.ErrorId, SingleLine.Of($"{fault.Target}"), SingleLine.Of(fault.Message), fault) : fault).ToRecord());

    private ScheduleRun Skip(ScheduleDefinition definition, ScheduleRunner session, string reason, bool isWarning)
    {
        var sentence = $"'{definition.Name}' does not run: {reason}.";
        if (isWarning)
        {
            WriteWarning(sentence);
        }
        else
        {
            WriteVerbose(sentence);
        }

        return Runner.Run(context => session.Skip(reason, context));
    }

    /// <summary>The settings of the schedule's own file, not of a file near the task's working directory.</summary>
    private BackupSettings Configured(string? path)
    {
        if (path is null)
        {
            return new BackupSettings();
        }

        var configuration = Runner.Stoppable(cancellation => BackupConfiguration.Find(path, this.FileSystemLocation, cancellation));
        foreach (var warning in configuration.Problems.Where(problem => problem.Severity == ConfigurationSeverity.Warning))
        {
            WriteWarning(warning.ToString());
        }

        return configuration.Require();
    }

    private List<ScheduleSource> Sources(ScheduleJob job, BackupSettings settings)
    {
        var sources = new List<ScheduleSource>();
        foreach (var pattern in job.Databases)
        {
            try
            {
                sources.AddRange(this.ExpandPath(pattern).Select(path => new ScheduleSource(path, null)));
            }
            catch (BackupException exception)
            {
                sources.Add(new ScheduleSource(pattern, exception));
            }
        }

        return job.Databases.Count > 0 ? sources : [.. settings.Databases.Select(database => new ScheduleSource(database.Path, null))];
    }

    private void SetExitCode(int code) => SessionState.PSVariable.Set(ExitCodeVariable, code);
}
