using System.Management.Automation;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.PowerShell.Binding;
using SignalHarvester.Backup.PowerShell.Completion;
using SignalHarvester.Backup.PowerShell.Stores;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Lists the backups of a directory, newest first.</summary>
/// <remarks>
/// <para>Reads the sidecar files, including the Python tool's, and needs only read access. Each unusable sidecar is an
/// error; the other backups are still listed.</para>
/// <para>Filters are combined: a backup is listed if it passes all of them. Ages are compared in the pipeline too:
/// Get-SHBackup | Where Age -gt 30d. A number without a unit is an error there, never a match.</para>
/// <para>With -Remote it lists the backups in an object store, as the same objects. Piped to Receive-, Test-, Restore- or
/// Remove-SHBackup, they mean the copies there. A failed access ends the listing with an error, and never looks like an
/// empty list.</para>
/// </remarks>
/// <example>
/// <para>List all backups</para>
/// <code>Get-SHBackup -BackupDirectory ./backups</code>
/// <para>Shows a table; the objects have raw numbers and times in UTC.</para>
/// </example>
/// <example>
/// <para>Show everything about the newest verified backup</para>
/// <code>Get-SHBackup -Verified -Newest 1 | ForEach-Object { $_.RowCounts; $_.Verification }</code>
/// <para>Shows the row count of each table and the checks. Safety backups of restores never count as the newest.</para>
/// </example>
/// <example>
/// <para>Show the chains</para>
/// <code>Get-SHBackup -Tree</code>
/// <para>Draws each full backup with its increments.</para>
/// </example>
/// <example>
/// <para>Remove backups older than thirty days</para>
/// <code>Get-SHBackup | Where-Object Age -gt 30d | Remove-SHBackup -WhatIf</code>
/// <para>Previews the removal. Without -WhatIf it asks, then removes.</para>
/// </example>
/// <example>
/// <para>List the backups on a second disk</para>
/// <code>
/// Get-SHBackup -Newest 1 | Send-SHBackup -To ./offsite -CreateContainer | Out-Null;
/// Get-SHBackup -From ./offsite
/// </code>
/// <para>Sends the newest backup there, and lists the backups there. S3, Azure and Gcs are listed in the same way.</para>
/// </example>
/// <seealso>New-SHBackup</seealso>
/// <seealso>Test-SHBackup</seealso>
/// <seealso>Restore-SHBackup</seealso>
/// <seealso>Remove-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsCommon.Get, "SHBackup", HelpUri = HelpPages.Folder + "Get-SHBackup.md")]
[OutputType(typeof(BackupMetadata))]
public sealed class GetSHBackupCommand : BackupCommand, IConfigurationOptional
{
    private const string RemoteViewName = "SignalHarvester.Backup.BackupMetadata#Remote";

    private DatabaseFilter? databases;

    private readonly StoreParameters storeParameters = new();

    /// <summary>Makes the cmdlet.</summary>
    public GetSHBackupCommand() => AddSource(storeParameters);

    /// <summary>
    /// Ids to list. Wildcards match several, but not in pipeline input. Tab completes them, with date, type and size.
    /// </summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(BackupIdCompleter))]
    [SupportsWildcards]
    [NameOf(typeof(BackupMetadata))]
    [ValidateNotNullOrEmpty]
    public string[]? Id { get; set; }

    /// <summary>
    /// Backups of these databases: the path (full, or from here, as ./app.db), or the file's name. Wildcards match several.
    /// Tab completes them.
    /// </summary>
    [Parameter]
    [ArgumentCompleter(typeof(DatabaseCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[]? Database { get; set; }

    /// <summary>Backups of these types.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public BackupType[]? Type { get; set; }

    /// <summary>Backups with these retention policies.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public RetentionPolicy[]? RetentionPolicy { get; set; }

    /// <summary>Backups whose last verification passed, with a complete chain; with -Verified:$false the others.</summary>
    [Parameter]
    public SwitchParameter Verified { get; set; }

    /// <summary>Backups made at this moment or later. A time without an offset is local.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(MomentCompleter))]
    [ValidateNotNull]
    public DateTimeOffset? After { get; set; }

    /// <summary>Backups made before this moment. A time without an offset is local.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(MomentCompleter))]
    [ValidateNotNull]
    public DateTimeOffset? Before { get; set; }

    /// <summary>Backups older than this: a number with a unit, such as 30d, '12h' or '6mo'.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(AgeCompleter))]
    [ValidateNotNull]
    public BackupAge? OlderThan { get; set; }

    /// <summary>
    /// The number of newest backups of each database, after the other filters and without safety backups: the backups made
    /// last, whatever the clock said. Select one database with -Database.
    /// </summary>
    [Parameter]
    [Alias("Last")]
    [ValidateRange(1, int.MaxValue)]
    public int? Newest { get; set; }

    /// <summary>
    /// Draws the chains: each full backup, newest first, with its increments below, oldest first. It also draws Retired
    /// backups, which were removed but are still needed by others.
    /// </summary>
    [Parameter]
    public SwitchParameter Tree { get; set; }

    /// <summary>
    /// Lists the backups in the only enabled store of the configuration, or that of -Provider and -Container, from the sidecars there: this
    /// machine need not know those backups. -From names a store and needs no -Remote.
    /// </summary>
    [Parameter]
    public SwitchParameter Remote { get; set; }

    /// <summary>
    /// Ignores the configuration file and the SHBACKUP_ environment variables, so that an error in them does not stop a
    /// restore: give the needed values as parameters, such as -BackupDirectory, or the address of a store with -From.
    /// </summary>
    [Parameter]
    public SwitchParameter NoConfiguration { get; set; }

    private bool IsRemote => Remote || NamedStores.Count > 0;

    private protected override string? MissingStoreSwitch => IsRemote ? null : "-Remote";

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var backups = this.StopOnError(() => IsRemote ? List(OpenStore(storeParameters)) : List(OpenDirectories(), withRetired: Tree));
        var ids = Patterns();
        RequireIds(backups);
        var selected = backups.Where(backup => ids(backup.Id) && IsWanted(backup));
        if (Newest is { } count)
        {
            selected = NewestBackups.OfEach(selected.Where(backup => !backup.IsRetired), count).ToList();
            foreach (var ahead in selected.DistinctBy(backup => backup.DatabasePath, StringComparer.Ordinal)
                .Where(backup => BackupOrder.IsAhead(backup.Timestamp, TimeProvider.System.GetUtcNow())))
            {
                WriteWarning(
                    $"'{ahead.Id}' is dated in the future: the clock was wrong then, or is now, so it is uncertain whether this backup is the newest.");
            }
        }

        WriteObject(Tree ? BackupTree.Draw([.. selected]) : IsRemote ? selected.Select(WithPlace) : selected, enumerateCollection: true);
    }

    /// <summary>Marks a copy, so that the table's heading says where it is.</summary>
    private static PSObject WithPlace(BackupMetadata copy)
    {
        var shown = new PSObject(copy);
        shown.TypeNames.Insert(0, RemoteViewName);
        return shown;
    }

    /// <summary>Returns the filter of -Id. A text that cannot be an id or a pattern of ids is written as an error and matches nothing.</summary>
    private Func<string, bool> Patterns()
    {
        if (Id is null)
        {
            return _ => true;
        }

        var patterns = new List<WildcardPattern>();
        foreach (var id in Id)
        {
            this.ReportErrors(() => patterns.Add(IdPattern(id) ?? WildcardPattern.Get(id, WildcardOptions.IgnoreCase)));
        }

        return id => patterns.Exists(pattern => pattern.IsMatch(id));
    }

    private void RequireIds(IReadOnlyList<BackupMetadata> backups)
    {
        foreach (var id in (Id ?? []).Where(id => !WildcardPattern.ContainsWildcardCharacters(id)).Select(CanonicalId))
        {
            if (!backups.Any(backup => backup.Id == id))
            {
                this.ReportErrors(() =>
                    _ = IsRemote ? Runner.Run(context => OpenStore(storeParameters).Get(id, context.Cancellation)) : OpenDirectory().Get(id));
            }
        }
    }

    private bool IsWanted(BackupMetadata backup) =>
        (databases ??= Databases(Database)).Passes(backup.DatabasePath)
        && (Type is null || Type.Contains(backup.Type))
        && (RetentionPolicy is null || (backup.RetentionPolicy is { } policy && RetentionPolicy.Contains(policy)))
        && (!MyInvocation.BoundParameters.ContainsKey(nameof(Verified)) || (backup is { Verified: true, Depth: not null }) == Verified)
        && (After is null || backup.Timestamp >= After)
        && (Before is null || backup.Timestamp < Before)
        && (OlderThan is null || backup.Age.CompareTo(OlderThan) > 0);
}
