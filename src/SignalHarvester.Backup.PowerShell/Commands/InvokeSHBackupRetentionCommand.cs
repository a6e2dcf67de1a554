using System.Globalization;
using System.Management.Automation;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.PowerShell.Completion;
using SignalHarvester.Backup.PowerShell.Keys;
using SignalHarvester.Backup.PowerShell.Stores;
using SignalHarvester.Backup.Retention;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Removes the backups that no retention rule keeps, with a reason for each decision.</summary>
/// <remarks>
/// <para>Judges each database separately; a backup stays as soon as one rule keeps it. Of the backups made with
/// New-SHBackup -RetentionPolicy Daily, Weekly or Monthly, the newest of each of the last N days, ISO weeks or months (in
/// UTC) stays, and the others go whatever their age. -KeepYearly, -KeepLast and -KeepWithin keep more, whatever the
/// policy of a backup.</para>
/// <para>Backups made without -RetentionPolicy are manual, and stay. With -IncludeManual, manual backups older than
/// -RetentionDays go, unless a rule keeps them: the calendar rules then also keep the newest manual backup of each of the
/// last N days, weeks and months.</para>
/// <para>The newest verified backup of each database, safety backups (a restore keeps the last three) and backups dated
/// in the future always stay. An unverified backup never displaces a verified one. A backup that others build on is first
/// folded into them, so that those still restore.</para>
/// <para>Nothing outside the backup directory is touched: an uploaded backup is judged like any other, and its copy in
/// the cloud stays. It asks nothing, so it can run unattended; with -Confirm it asks about each backup.</para>
/// <para>Missing rules come from the configuration.</para>
/// <para>Emits one decision for each backup, newest first. If a backup could not be removed, there is an error, and its
/// decision says Keep, with the cause.</para>
/// </remarks>
/// <example>
/// <para>Preview the removals, with reasons</para>
/// <code>Invoke-SHBackupRetention -WhatIf</code>
/// <para>Emits the same decisions as a real run, and removes nothing.</para>
/// </example>
/// <example>
/// <para>Keep two weeks of daily backups, and everything of the last two days</para>
/// <code>Invoke-SHBackupRetention -BackupDirectory ./backups -KeepDaily 14 -KeepWithin 2d</code>
/// <para>The other rules keep their defaults: 4 weeks, 12 months.</para>
/// </example>
/// <example>
/// <para>Also prune the manual backups of one database, with a log line for each</para>
/// <code>Invoke-SHBackupRetention -Database app.db -IncludeManual -RetentionDays 30 -KeepMonthly 6 | ForEach-Object { "$_" }</code>
/// <para>Removes manual backups older than 30 days, except the newest manual backup of each day, week or month that the rules keep.</para>
/// </example>
/// <seealso>Remove-SHBackup</seealso>
/// <seealso>Register-SHBackupSchedule</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsLifecycle.Invoke, "SHBackupRetention", SupportsShouldProcess = true, HelpUri = HelpPages.Folder + "Invoke-SHBackupRetention.md")]
[OutputType(typeof(RetentionDecision))]
public sealed class InvokeSHBackupRetentionCommand : BackupCommand
{
    private DatabaseFilter? databases;

    private readonly StoreParameters storeParameters = new();
    private readonly KeyParameters keys = new();

    /// <summary>Makes the cmdlet.</summary>
    public InvokeSHBackupRetentionCommand()
    {
        AddSource(storeParameters);
        AddParameters(keys);
    }

    /// <summary>
    /// Judges and removes only backups of these databases: the path (full, or from here, as ./app.db), or the file's name. Wildcards match several.
    /// </summary>
    [Parameter]
    [ArgumentCompleter(typeof(DatabaseCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[]? Database { get; set; }

    /// <summary>The number of days of which a daily backup stays, 0 or more. Days without one do not count; 0 keeps none.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int KeepDaily { get; set; } = 7;

    /// <summary>The number of ISO weeks of which a weekly backup stays, 0 or more. Weeks without one do not count; 0 keeps none.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int KeepWeekly { get; set; } = 4;

    /// <summary>The number of months of which a monthly backup stays, 0 or more. Months without one do not count; 0 keeps none.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int KeepMonthly { get; set; } = 12;

    /// <summary>The number of years of which the newest backup stays, whatever its policy, 0 or more.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int KeepYearly { get; set; }

    /// <summary>The number of newest backups that stay, whatever their policy, 0 or more.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int KeepLast { get; set; }

    /// <summary>Keeps every backup up to this age, whatever its policy: a number with a unit, such as 2d, '12h' or '6mo'.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(AgeCompleter))]
    [ValidateNotNull]
    public BackupAge? KeepWithin { get; set; }

    /// <summary>
    /// With -IncludeManual, the age in days after which manual backups go, 0 or more. It affects no other backup, and removes no backup that a rule keeps.
    /// </summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int RetentionDays { get; set; } = 90;

    /// <summary>Also removes manual backups, made without -RetentionPolicy.</summary>
    [Parameter]
    public SwitchParameter IncludeManual { get; set; }

    /// <summary>
    /// Prunes the copies in the only enabled store of the configuration, or that of -Provider and -Container, instead of a
    /// directory; -From names a store and needs no -Remote. Nothing is folded there: the chains of kept copies stay. Let only
    /// one machine prune a place.
    /// </summary>
    [Parameter]
    public SwitchParameter Remote { get; set; }

    private bool IsRemote => Remote || NamedStores.Count > 0;

    private protected override string? MissingStoreSwitch => IsRemote ? null : "-Remote";

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        UseIdentities(keys, keys.Passphrase);
        this.StopOnError(() => Rules().Validate());
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        // A pipeline of backups names their directory once for each backup.
        NoteDirectories();
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        if (IsRemote)
        {
            if (NotedDirectories.Count > 0)
            {
                this.ReportErrors(() => Prune(BackupCatalog.Of(OpenStore(storeParameters), OpenDirectory())));
            }

            return;
        }

        foreach (var path in NotedDirectories)
        {
            this.ReportErrors(() => Prune(BackupCatalog.Of(OpenConfigured(path))));
        }
    }

    private void Prune(BackupCatalog catalog)
    {
        var now = TimeProvider.System.GetUtcNow();
        var rules = Rules();
        var backups = catalog.Store is { } store ? List(store) : List(catalog.Home);
        var decisions = RetentionPlan.Decide(backups, rules, now, canFold: catalog.Store is null).Where(IsWanted).Select(Approve).ToList();
        if (this.IsWhatIf)
        {
            WriteObject(decisions, enumerateCollection: true);
            return;
        }

        var failed = new List<BackupException>();
        WriteObject(Runner.Run(context => BackupEngine.Prune(catalog, decisions, rules, now, failed.Add, context)), enumerateCollection: true);
        failed.ForEach(exception => WriteError(exception.ToRecord()));
    }

    private bool IsWanted(RetentionDecision decision) => (databases ??= Databases(Database)).Passes(decision.Backup.DatabasePath);

    private RetentionDecision Approve(RetentionDecision decision)
    {
        if (decision.Action == RetentionAction.Keep)
        {
            return decision;
        }

        var target = string.Create(
            CultureInfo.InvariantCulture, $"{decision.Backup.Id} of {decision.Backup.DatabasePath} ({string.Join("; ", decision.Reasons)})");
        return ShouldProcess(target, "Remove backup") || this.IsWhatIf
            ? decision
            : decision with { Action = RetentionAction.Keep, Reasons = ["not confirmed", .. decision.Reasons] };
    }

    private RetentionRules Rules() => new()
    {
        KeepDaily = GivenOr(nameof(KeepDaily), KeepDaily, Settings.Retention.KeepDaily),
        KeepWeekly = GivenOr(nameof(KeepWeekly), KeepWeekly, Settings.Retention.KeepWeekly),
        KeepMonthly = GivenOr(nameof(KeepMonthly), KeepMonthly, Settings.Retention.KeepMonthly),
        KeepYearly = GivenOr(nameof(KeepYearly), KeepYearly, Settings.Retention.KeepYearly),
        KeepLast = GivenOr(nameof(KeepLast), KeepLast, Settings.Retention.KeepLast),
        KeepWithin = GivenOr(nameof(KeepWithin), KeepWithin, Settings.Retention.KeepWithin),
        RetentionDays = GivenOr(nameof(RetentionDays), RetentionDays, Settings.Retention.RetentionDays),
        IncludeManual = GivenOr(nameof(IncludeManual), IncludeManual.IsPresent, Settings.Retention.IncludeManual),
    };
}
