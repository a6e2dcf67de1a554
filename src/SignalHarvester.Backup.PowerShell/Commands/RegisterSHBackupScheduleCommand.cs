using System.Management.Automation;
using SignalHarvester.Backup.Configuration;
using SignalHarvester.Backup.PowerShell.Completion;
using SignalHarvester.Backup.PowerShell.Stores;
using SignalHarvester.Backup.Scheduling;
using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Lets the operating system run backups: with systemd, cron, launchd or the Windows Task Scheduler.</summary>
/// <remarks>
/// <para>-Recommended registers a nightly backup with retention, a weekly scrub and a monthly restore drill in one call.</para>
/// <para>All times are UTC, in summer and winter; the emitted schedule has its next run on this machine's clock too (NextRunLocal). A
/// missed run is made up as soon as the scheduler can; runs of one schedule do not overlap. docs/SCHEDULING.md explains this for each
/// scheduler.</para>
/// <para>Without -NoRetention, each run applies the retention rules to the databases that it backed up: 7 daily, 4 weekly and
/// 12 monthly backups and everything of the last two days stay by default.</para>
/// <para>-FromConfiguration takes everything from the settings file: one call registers its daily, weekly, monthly and
/// hourly backups and the daily retention, and removes the ones that it has switched off; each run reads the file
/// again.</para>
/// <para>-Continuous registers Start-SHBackupProtection as a service: systemd knows when every database is followed (Type=notify), restarts
/// it if it fails or hangs, and gives it time to store the last transactions. With cron it starts at the next boot, and not again after a failure.</para>
/// <para>The task carries only the schedule's name; a file of the account's or the machine's configuration has the rest,
/// without any secret. Credentials come from the platform's own chain at each run.</para>
/// <para>Registering a schedule again changes it; an unchanged one is left alone.</para>
/// </remarks>
/// <example>
/// <para>Back up a database every night at two, UTC</para>
/// <code>Register-SHBackupSchedule nightly -Daily -At 02:00 -DatabasePath ./app.db -BackupDirectory ./backups -Type Auto</code>
/// <para>Paths become full paths. Emits the schedule, with its next run.</para>
/// </example>
/// <example>
/// <para>Register all that a database needs, and take it back</para>
/// <code>
/// Register-SHBackupSchedule -Recommended ./app.db -WhatIf;
/// Register-SHBackupSchedule -Recommended ./app.db -BackupDirectory ./backups -Name shop;
/// Unregister-SHBackupSchedule shop-* -Force
/// </code>
/// <para>The schedules are called shop-nightly, shop-scrub and shop-drill; without -Name, app-nightly and so on. -WhatIf shows
/// what each does, and what the operating system would get.</para>
/// </example>
/// <example>
/// <para>Back up the changes every hour, with a copy elsewhere</para>
/// <code>
/// Register-SHBackupSchedule hourly -Every 1h -DatabasePath *.db -BackupDirectory ./backups -Type Auto -To ./offsite `
///     -CreateContainer
/// </code>
/// <para>Each run expands the wildcards, so it finds new databases. In expressions, quote a number of hours, minutes or weeks: '1h'.</para>
/// </example>
/// <example>
/// <para>Show exactly what the operating system would get</para>
/// <code>
/// Register-SHBackupSchedule weekly -Weekly -DayOfWeek Saturday -At 23:30 -DatabasePath ./app.db -BackupDirectory ./backups -Backend Systemd -AsText
/// </code>
/// <para>Emits the units and registers nothing: to look at, or to install on another machine. -WhatIf shows the same.</para>
/// </example>
/// <example>
/// <para>Re-read a tenth of the stored files each night, and test a restore once a month</para>
/// <code>
/// Register-SHBackupSchedule scrub -Daily -At 03:30 -Scrub -Percent 10 -BackupDirectory ./backups;
/// Register-SHBackupSchedule drill -Monthly -At 04:00 -Drill -BackupDirectory ./backups
/// </code>
/// <para>Registers two schedules that make no backup, but test the existing ones.</para>
/// </example>
/// <example>
/// <para>Register all schedules of the settings file</para>
/// <code>
/// New-SHBackupConfiguration ./config/settings.yaml | Out-Null;
/// Register-SHBackupSchedule -FromConfiguration -ConfigurationPath ./config/settings.yaml -AsText
/// </code>
/// <para>Shows the definitions of four schedules: daily, weekly, monthly, and the retention.</para>
/// </example>
/// <example>
/// <para>Protect a database continuously, from the start of the machine on</para>
/// <code>
/// Register-SHBackupSchedule live -Continuous -DatabasePath ./app.db -BackupDirectory ./backups -To ./offsite -CreateContainer -Backend Systemd -AsText
/// </code>
/// <para>Emits the unit and registers nothing. Without -AsText it is registered and started; Get-SHBackupProtection shows how it is.</para>
/// </example>
/// <seealso>Get-SHBackupSchedule</seealso>
/// <seealso>Unregister-SHBackupSchedule</seealso>
/// <seealso>Invoke-SHBackupSchedule</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(
    VerbsLifecycle.Register, "SHBackupSchedule", SupportsShouldProcess = true, DefaultParameterSetName = DailySet,
    HelpUri = HelpPages.Folder + "Register-SHBackupSchedule.md")]
[OutputType(typeof(BackupSchedule), typeof(string))]
public sealed class RegisterSHBackupScheduleCommand : BackupCommand, IStreamParameters
{
    private const string DailySet = "Daily";
    private const string WeeklySet = "Weekly";
    private const string MonthlySet = "Monthly";
    private const string EverySet = "Every";
    private const string ConfigurationSet = "Configuration";
    private const string RecommendedSet = "Recommended";
    private const string ContinuousSet = "Continuous";
    private const string DefaultGroup = "shbackup";
    private const int LongestDatabaseName = 80;

    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestInterval = TimeSpan.FromDays(31);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromDays(1);


    private readonly UploadParameters storeParameters = new();

    /// <summary>Makes the cmdlet.</summary>
    public RegisterSHBackupScheduleCommand()
    {
        AddParameters(new TargetParameters());
        AddParameters(storeParameters, isHidden: true);
    }

    /// <summary>
    /// The schedule's name: any text of up to 100 characters, ignoring case. With -FromConfiguration and -Recommended, the beginning of
    /// all its schedules' names; without it, shbackup, or the database's own name with -Recommended.
    /// </summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = DailySet)]
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = WeeklySet)]
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = MonthlySet)]
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = EverySet)]
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = ContinuousSet)]
    [Parameter(Position = 0, ParameterSetName = ConfigurationSet)]
    [Parameter(ParameterSetName = RecommendedSet)]
    [ValidateNotNullOrEmpty]
    public string Name { get; set; } = DefaultGroup;

    /// <summary>Runs every day.</summary>
    [Parameter(Mandatory = true, ParameterSetName = DailySet)]
    public SwitchParameter Daily { get; set; }

    /// <summary>Runs once a week.</summary>
    [Parameter(Mandatory = true, ParameterSetName = WeeklySet)]
    public SwitchParameter Weekly { get; set; }

    /// <summary>The day of the week, in UTC.</summary>
    [Parameter(ParameterSetName = WeeklySet)]
    public DayOfWeek DayOfWeek { get; set; } = DayOfWeek.Sunday;

    /// <summary>Runs once a month.</summary>
    [Parameter(Mandatory = true, ParameterSetName = MonthlySet)]
    public SwitchParameter Monthly { get; set; }

    /// <summary>The day of the month, in UTC, 1 to 31; in a shorter month, its last day.</summary>
    [Parameter(ParameterSetName = MonthlySet)]
    [ValidateRange(1, 31)]
    public int Day { get; set; } = 1;

    /// <summary>Runs repeatedly at this interval: whole minutes, 1m to 31d, such as 1h or 15m.</summary>
    [Parameter(Mandatory = true, ParameterSetName = EverySet)]
    [ArgumentCompleter(typeof(AgeCompleter))]
    [ValidateNotNull]
    public BackupAge? Every { get; set; }

    /// <summary>
    /// The time of day in UTC, such as 02:00. With -Every, a time of day at which one of the runs happens. Without it, 02:00,
    /// and 00:00 with -Every. With -Recommended, the time of the backup; the scrub begins 1.5 hours later, and the drill 2.
    /// </summary>
    [Parameter(ParameterSetName = DailySet)]
    [Parameter(ParameterSetName = WeeklySet)]
    [Parameter(ParameterSetName = MonthlySet)]
    [Parameter(ParameterSetName = EverySet)]
    [Parameter(ParameterSetName = RecommendedSet)]
    [ArgumentCompleter(typeof(TimeOfDayCompleter))]
    public TimeOnly At { get; set; } = new(2, 0);

    /// <summary>Registers the schedules of the settings file, which -ConfigurationPath names or which is found as usual.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ConfigurationSet)]
    public SwitchParameter FromConfiguration { get; set; }

    /// <summary>
    /// Registers all that a database needs: a backup every night (-Type Auto, verified, with retention), a scrub of all stored files
    /// every Sunday, and a restore drill on the first of each month.
    /// </summary>
    [Parameter(Mandatory = true, ParameterSetName = RecommendedSet)]
    public SwitchParameter Recommended { get; set; }

    /// <summary>
    /// Protects databases continuously, as Start-SHBackupProtection does: it starts with the machine, starts again if it fails, and stays
    /// stopped after Stop-SHBackupProtection. Transactions go to one store: that of -To, else that of the configuration.
    /// </summary>
    [Parameter(Mandatory = true, ParameterSetName = ContinuousSet)]
    public SwitchParameter Continuous { get; set; }

    /// <summary>Seconds between two segments in the long run, 0.1 to 3600. Without it, as configured, else 1.</summary>
    [Parameter(ParameterSetName = ContinuousSet)]
    [ValidateRange(0.1, 3600.0)]
    public double? Interval { get; set; }

    /// <summary>The time between two ordinary backups, such as 1h, if anything was committed: a minute to a week. Without it, as configured, else 1h.</summary>
    [Parameter(ParameterSetName = ContinuousSet)]
    [ArgumentCompleter(typeof(AgeCompleter))]
    [ValidateNotNull]
    public BackupAge? BackupInterval { get; set; }

    /// <summary>
    /// The time between two audits, such as 1d: a minute to a year. In an audit an ordinary backup reads every page, and holds the database against its
    /// transactions. Without it, as configured, else 1d.
    /// </summary>
    [Parameter(ParameterSetName = ContinuousSet)]
    [ArgumentCompleter(typeof(AgeCompleter))]
    [ValidateNotNull]
    public BackupAge? AuditInterval { get; set; }

    /// <summary>How long every transaction can be restored, such as 1d. Without it, as configured, else 1d.</summary>
    [Parameter(ParameterSetName = ContinuousSet)]
    [ArgumentCompleter(typeof(AgeCompleter))]
    [ValidateNotNull]
    public BackupAge? KeepTransactions { get; set; }

    /// <summary>Leaves old segments in the store: this account may not delete there, or rules of the store do.</summary>
    [Parameter(ParameterSetName = ContinuousSet)]
    public SwitchParameter KeepRemote { get; set; }

    /// <summary>Runs no checkpoints: the application runs them itself. If it does not, the database's log grows without end.</summary>
    [Parameter(ParameterSetName = ContinuousSet)]
    public SwitchParameter NoCheckpoint { get; set; }

    /// <summary>The database files to back up. Each run expands wildcards. Without it, those of the configuration.</summary>
    [Parameter(ParameterSetName = ContinuousSet)]
    [Parameter(ParameterSetName = DailySet)]
    [Parameter(ParameterSetName = WeeklySet)]
    [Parameter(ParameterSetName = MonthlySet)]
    [Parameter(ParameterSetName = EverySet)]
    [Parameter(Position = 0, ParameterSetName = RecommendedSet)]
    [ArgumentCompleter(typeof(DatabaseFileCompleter))]
    [Alias("Path")]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] DatabasePath { get; set; } = [];

    /// <summary>The kind of backup, as of New-SHBackup. Without it, as configured, else Full.</summary>
    [Parameter]
    public BackupStrategy? Type { get; set; }

    /// <summary>The compression of the files. Without it, as configured, else Zstd.</summary>
    [Parameter]
    public CompressionType? Compression { get; set; }

    /// <summary>The retention policy of the backups. Without it, that of the schedule; Daily with -Every and -Continuous.</summary>
    [Parameter(ParameterSetName = ContinuousSet)]
    [Parameter(ParameterSetName = DailySet)]
    [Parameter(ParameterSetName = WeeklySet)]
    [Parameter(ParameterSetName = MonthlySet)]
    [Parameter(ParameterSetName = EverySet)]
    public RetentionPolicy? RetentionPolicy { get; set; }

    /// <summary>Omits retention: another schedule, or a person, applies the rules.</summary>
    [Parameter(ParameterSetName = DailySet)]
    [Parameter(ParameterSetName = WeeklySet)]
    [Parameter(ParameterSetName = MonthlySet)]
    [Parameter(ParameterSetName = EverySet)]
    public SwitchParameter NoRetention { get; set; }

    /// <summary>Makes no backup: only applies the retention rules to the backup directory.</summary>
    [Parameter(ParameterSetName = DailySet)]
    [Parameter(ParameterSetName = WeeklySet)]
    [Parameter(ParameterSetName = MonthlySet)]
    [Parameter(ParameterSetName = EverySet)]
    public SwitchParameter RetentionOnly { get; set; }

    /// <summary>Makes no backup: restores the newest backup of each database to a temporary place, as Invoke-SHRestoreDrill -Newest does.</summary>
    [Parameter(ParameterSetName = DailySet)]
    [Parameter(ParameterSetName = WeeklySet)]
    [Parameter(ParameterSetName = MonthlySet)]
    [Parameter(ParameterSetName = EverySet)]
    public SwitchParameter Drill { get; set; }

    /// <summary>
    /// Makes no backup: re-reads stored backups, as Invoke-SHBackupScrub does, and repairs damaged ones from the enabled object stores of the configuration.
    /// </summary>
    [Parameter(ParameterSetName = DailySet)]
    [Parameter(ParameterSetName = WeeklySet)]
    [Parameter(ParameterSetName = MonthlySet)]
    [Parameter(ParameterSetName = EverySet)]
    public SwitchParameter Scrub { get; set; }

    /// <summary>With -Scrub: the share of all stored bytes that each run reads, in percent, 1 to 100. Without it, all.</summary>
    [Parameter(ParameterSetName = DailySet)]
    [Parameter(ParameterSetName = WeeklySet)]
    [Parameter(ParameterSetName = MonthlySet)]
    [Parameter(ParameterSetName = EverySet)]
    [ValidateRange(1, 100)]
    public int? Percent { get; set; }

    /// <summary>With -Scrub: the time after which a run starts no further file, such as 5m or 2h. Quote seconds: '30s'.</summary>
    [Parameter(ParameterSetName = DailySet)]
    [Parameter(ParameterSetName = WeeklySet)]
    [Parameter(ParameterSetName = MonthlySet)]
    [Parameter(ParameterSetName = EverySet)]
    [ArgumentCompleter(typeof(AgeCompleter))]
    [ValidateNotNull]
    public BackupAge? Budget { get; set; }

    /// <summary>The number of days of which a daily backup stays. Without it, as configured, else 7.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int? KeepDaily { get; set; }

    /// <summary>The number of ISO weeks of which a weekly backup stays. Without it, as configured, else 4.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int? KeepWeekly { get; set; }

    /// <summary>The number of months of which a monthly backup stays. Without it, as configured, else 12.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int? KeepMonthly { get; set; }

    /// <summary>Keeps every backup up to this age, whatever its policy. Without it, as configured, else 2d.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(AgeCompleter))]
    [ValidateNotNull]
    public BackupAge? KeepWithin { get; set; }

    /// <summary>Publishes backups without reading them back.</summary>
    [Parameter]
    public SwitchParameter NoVerify { get; set; }

    /// <summary>
    /// Also sends each backup to the store of -Provider and -Container; -To names stores and needs no -Upload. Without -To,
    /// the enabled stores of the configuration with upload_after_backup get each backup as well.
    /// </summary>
    [Parameter]
    public SwitchParameter Upload { get; set; }

    /// <summary>The number of databases to work on at once, 1 to 64. Without it, as configured, else 4.</summary>
    [Parameter]
    [ValidateRange(1, 64)]
    public int? ThrottleLimit { get; set; }

    /// <summary>Delays each run by a random time up to this, such as 10m, so that many machines do not start at once; at most 1d.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(AgeCompleter))]
    [ValidateNotNull]
    public BackupAge? RandomDelay { get; set; }

    /// <summary>A note for people.</summary>
    [Parameter]
    public string? Description { get; set; }

    /// <summary>Whether the schedule belongs to this account (User), or to the machine and runs as root or SYSTEM (System).</summary>
    [Parameter]
    public ScheduleScope Scope { get; set; }

    /// <summary>The scheduler. Auto uses the machine's own.</summary>
    [Parameter]
    public ScheduleBackend Backend { get; set; }

    /// <summary>
    /// A systemd unit that starts when a run fails, also in part, such as notify@%n.service. Your own unit sends the message; %n stands for
    /// the failed one. It needs systemd.
    /// </summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? OnFailure { get; set; }

    /// <summary>Registers the schedule although a database is not there. Without it, a missing one is an error, and so is a wildcard without a match.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Emits what the operating system would get, and registers nothing. Does not look whether the databases are there.</summary>
    [Parameter]
    public SwitchParameter AsText { get; set; }

    private protected override string? MissingStoreSwitch => Upload ? null : "-Upload";

    /// <inheritdoc/>
    protected override void ProcessRecord() => NoteOneDirectory();

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        if (NotedDirectories.Count == 0)
        {
            return;
        }

        var registry = new ScheduleRegistry(ScheduleCommand.ManifestPath(this), TimeProvider.System);
        var wanted = this.StopOnError(() => ParameterSetName switch
        {
            ConfigurationSet => Configured(),
            RecommendedSet => RecommendedOnes(),
            _ => [Definition(Name, Trigger(), Job())],
        });
        foreach (var definition in wanted)
        {
            this.StopOnError(() => RequireDatabases(definition));
        }

        foreach (var definition in wanted)
        {
            this.ReportErrors(() => Register(registry, definition));
        }

        if (ParameterSetName == ConfigurationSet && !AsText)
        {
            RemoveOthers(registry, wanted);
        }
    }

    private void Register(ScheduleRegistry registry, ScheduleDefinition definition)
    {
        if (AsText)
        {
            WriteObject(Runner.Run(_ => registry.Plan(definition, needsBackend: false)).Text);
            return;
        }

        this.Register(Runner, registry, definition);
    }

    /// <summary>Refuses schedules that would find no database: a mistake in a path would show at night, when nobody looks.</summary>
    /// <exception cref="BackupException">SourceNotFound.</exception>
    private void RequireDatabases(ScheduleDefinition definition)
    {
        if (Force || AsText || definition.Job is not { Action: ScheduleAction.Backup or ScheduleAction.Protect } job)
        {
            return;
        }

        var missing = job.Databases.Count > 0
            ? job.Databases.FirstOrDefault(path => !IsThere(path))
            : Settings.Databases.Select(database => database.Path).FirstOrDefault(path => !DatabaseFiles.IsThere(path));
        if (missing is not null)
        {
            throw new BackupException(
                BackupErrorId.SourceNotFound, missing,
                $"There is no database '{missing}' to back up. Correct the path, or give -Force to register the schedule before its database is there.");
        }
    }

    private bool IsThere(string path)
    {
        try
        {
            return this.ExpandPath(path).Any(DatabaseFiles.IsThere);
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.SourceNotFound)
        {
            return false;
        }
    }

    /// <summary>Removes the schedules that were registered from the settings file and are now switched off in it.</summary>
    private void RemoveOthers(ScheduleRegistry registry, IReadOnlyList<ScheduleDefinition> wanted)
    {
        foreach (var name in this.StopOnError(() => ScheduleRegistry.Group(Name, Scope))
            .Where(name => !wanted.Any(one => string.Equals(one.Name, name, StringComparison.OrdinalIgnoreCase))))
        {
            if (ShouldProcess(name, "Unregister schedule, which is switched off in the configuration"))
            {
                this.ReportErrors(() => Runner.Run(context => registry.Remove(name, Scope, context.Cancellation)));
            }
        }
    }

    private IReadOnlyList<ScheduleDefinition> Configured()
    {
        if (ConfigurationFile is null)
        {
            throw new BackupException(
                BackupErrorId.ConfigurationNotFound, nameof(ConfigurationPath),
                "There is no configuration with schedules. Give its path with -ConfigurationPath, or create one with New-SHBackupConfiguration.");
        }

        if (Settings.Databases.Count == 0)
        {
            throw DatabaseRequired();
        }

        return ScheduleSets.OfSettings(Definition(Name, Trigger(), Job() with { Prune = false }), Settings.Schedule, Within(null));
    }

    private IReadOnlyList<ScheduleDefinition> RecommendedOnes()
    {
        var nightly = Job() with { Type = Type ?? BackupStrategy.Auto };
        var name = this.IsBound(nameof(Name)) ? Name : DatabaseName(nightly) ?? DefaultGroup;
        return ScheduleSets.Recommended(Definition(name, Trigger(), nightly));
    }

    /// <summary>Returns the name of the only database, without its extension; null if there may be several.</summary>
    private string? DatabaseName(ScheduleJob job) =>
        (job.Databases.Count > 0 ? job.Databases : [.. Settings.Databases.Select(database => database.Path)]) is [var only]
        && (DatabaseFiles.IsThere(only) || !WildcardPattern.ContainsWildcardCharacters(only))
        && Path.GetFileNameWithoutExtension(only) is { Length: > 0 and <= LongestDatabaseName } name
            ? name
            : null;

    private ScheduleDefinition Definition(string name, ScheduleTrigger trigger, ScheduleJob job) => new()
    {
        Name = name,
        Description = Description,
        Trigger = trigger,
        RandomDelay = Delay(),
        Backend = Backend,
        OnFailure = OnFailure,
        Scope = Scope,
        Job = job,
    };

    private ScheduleTrigger Trigger()
    {
        var at = this.IsBound(nameof(At)) || ParameterSetName != EverySet ? At : TimeOnly.MinValue;
        if (at.Ticks % TimeSpan.TicksPerMinute != 0)
        {
            throw Invalid(nameof(At), "-At must be a time of day in whole minutes. Give one such as 02:00.");
        }

        return ParameterSetName switch
        {
            ContinuousSet => new() { Frequency = ScheduleFrequency.Continuous },
            WeeklySet => new() { Frequency = ScheduleFrequency.Weekly, At = at.ToTimeSpan(), DayOfWeek = DayOfWeek },
            MonthlySet => new() { Frequency = ScheduleFrequency.Monthly, At = at.ToTimeSpan(), Day = Day },
            EverySet => new() { Frequency = ScheduleFrequency.Every, At = at.ToTimeSpan(), Interval = Spacing() },
            _ => new() { Frequency = ScheduleFrequency.Daily, At = at.ToTimeSpan() },
        };
    }

    private TimeSpan Spacing() =>
        Every!.Value is var interval && interval >= ShortestInterval && interval <= LongestInterval && interval.Ticks % TimeSpan.TicksPerMinute == 0
        ? interval
        : throw Invalid(nameof(Every), "-Every must be whole minutes, from 1m to 31d. Give a time such as 15m or 1h.");

    private TimeSpan Delay() => RandomDelay?.Value is not { } delay ? TimeSpan.Zero
        : delay >= TimeSpan.Zero && delay <= LongestDelay ? TimeSpan.FromSeconds(Math.Floor(delay.TotalSeconds))
        : throw Invalid(nameof(RandomDelay), "-RandomDelay can be at most 1d. Give a time such as 10m.");

    private ScheduleAction Action =>
        Continuous ? ScheduleAction.Protect
        : RetentionOnly ? ScheduleAction.Retention : Drill ? ScheduleAction.Drill : Scrub ? ScheduleAction.Scrub : ScheduleAction.Backup;

    private bool MakesBackups => Action is ScheduleAction.Backup or ScheduleAction.Protect;

    private ScheduleJob Job()
    {
        if (DatabasePath.Length == 0 && Settings.Databases.Count == 0 && MakesBackups && ParameterSetName != ConfigurationSet)
        {
            throw DatabaseRequired();
        }

        RequireSense();

        string[] targets = [.. NamedStores.Select(FullTarget)];
        var place = Upload && targets.Length == 0 ? Place() : null;
        if (Continuous && place is null)
        {
            // Not at the first start, when nobody looks.
            _ = Stores(storeParameters).ForStream;
        }

        return new ScheduleJob
        {
            Action = Action,
            ConfigurationPath = ConfigurationFile,
            Databases = DatabasePath.Length > 0 ? [.. DatabasePath.Select(this.FullPattern)]
                // A setting that comes only from the environment is missing at the run.
                : ConfigurationFile is null && MakesBackups ? [.. Settings.Databases.Select(database => database.Path)] : [],
            BackupDirectory = string.IsNullOrEmpty(BackupDirectory) && ConfigurationFile is not null ? null : OpenDirectory().Path,
            Type = Type,
            Compression = Compression,
            RetentionPolicy = !MakesBackups ? null : RetentionPolicy ?? Policy(),
            Prune = !NoRetention && Action == ScheduleAction.Backup,
            KeepDaily = KeepDaily,
            KeepWeekly = KeepWeekly,
            KeepMonthly = KeepMonthly,
            KeepWithin = ParameterSetName is ConfigurationSet or ContinuousSet ? KeepWithin?.Value : Within(KeepWithin),
            NoVerify = NoVerify,
            Targets = targets,
            Upload = place,
            UploadOptions = place is null ? null : Stores(storeParameters).OptionsOf(place),
            CreateContainer = place is null ? storeParameters.CreateContainer : Stores(storeParameters).CreatesContainer(place),
            ThrottleLimit = ThrottleLimit,
            ScrubPercent = Percent,
            ScrubBudget = Budget?.Value,
            Continuous = Continuous ? this.ToJob() : null,
        };
    }

    /// <summary>Refuses a parameter without any effect: whoever gives it expects one.</summary>
    private void RequireSense()
    {
        if (new[] { RetentionOnly, Drill, Scrub }.Count(one => one) > 1)
        {
            throw Invalid(nameof(Drill), "-RetentionOnly, -Drill and -Scrub cannot be combined. Give one of them, or register several schedules.");
        }

        string[] ofBackups = [nameof(Type), nameof(Compression), nameof(RetentionPolicy), nameof(NoRetention), nameof(NoVerify)];
        string[] ofRetention = [nameof(KeepDaily), nameof(KeepWeekly), nameof(KeepMonthly), nameof(KeepWithin)];
        string[] ofScrubs = [nameof(Percent), nameof(Budget)];
        string[] ofUploads = [nameof(Upload), nameof(TargetParameters.To)];
        var (action, without) = Action switch
        {
            ScheduleAction.Retention => ("-RetentionOnly", (string[])[.. ofBackups, .. ofScrubs, .. ofUploads, nameof(DatabasePath)]),
            ScheduleAction.Drill => ("-Drill", [.. ofBackups, .. ofRetention, .. ofScrubs, .. ofUploads]),
            ScheduleAction.Protect => (
                "-Continuous", [nameof(Type), nameof(NoVerify), nameof(ThrottleLimit), nameof(RandomDelay), .. ofRetention, .. ofScrubs]),
            ScheduleAction.Scrub => ("-Scrub", [.. ofBackups, .. ofRetention, nameof(DatabasePath)]),
            _ => ("a schedule that makes backups", ofScrubs),
        };
        if (Array.Find(without, this.IsBound) is { } ignored)
        {
            throw Invalid(ignored, $"-{ignored} has no effect on {action}. Omit it, or register another schedule for it.");
        }
    }

    /// <summary>Checks a store of -To. A name stays one, so that each run takes its settings from the configuration; a folder's path becomes full.</summary>
    private string FullTarget(string text)
    {
        var store = StoreNames.Find(text, Settings, this.FileSystemPath);
        if (store.Name.Length > 0 && ConfigurationFile is null)
        {
            throw Invalid(
                nameof(TargetParameters.To),
                $"The store '{store.Name}' comes from the environment alone, and a schedule's run may not have that. Give its address, or a configuration file with the store.");
        }

        return store.Name.Length > 0 ? store.Name : StoreLocation.OfAddress(text) is null ? store.Location.Container : text;
    }

    /// <summary>The store of the parameters. Those of the configuration get the backups anyway.</summary>
    private StoreLocation? Place() =>
        Stores(storeParameters).Named ?? (Stores(storeParameters).AfterBackup.Count > 0 ? null : Stores(storeParameters).Choose(null));

    /// <summary>Returns the given value, else the configured one, else long enough that the backups of one day are not thinned out on the next.</summary>
    private TimeSpan? Within(BackupAge? given) => given?.Value ?? (Settings.Retention.KeepWithin is null ? TimeSpan.FromDays(2) : null);

    private RetentionPolicy Policy() => ParameterSetName switch
    {
        WeeklySet => Backup.RetentionPolicy.Weekly,
        MonthlySet => Backup.RetentionPolicy.Monthly,
        _ => Backup.RetentionPolicy.Daily,
    };

    private static BackupException DatabaseRequired() => new(
        BackupErrorId.DatabaseRequired, nameof(DatabasePath),
        "No database was given, and none is configured. Give its path with -DatabasePath, or set app.database_path in the configuration.");

    private static BackupException Invalid(string parameter, string message) =>
        BackupException.InvalidArgument(parameter, message);
}
