using System.Globalization;
using System.Management.Automation;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.PowerShell.Stores;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Removes backups.</summary>
/// <remarks>
/// <para>Removes the backup file and its sidecar, and its entry in the Python tool's index. It asks about each backup,
/// unless -Force or -Confirm:$false is given. It never removes anything outside the backup directory, whatever a sidecar
/// says.</para>
/// <para>A backup that others build on is first folded into them: the oldest of them takes its role, and every other
/// backup restores at any moment, even if the removal is killed midway. With -Cascade the backups that build on it are
/// removed too. If a backup cannot be folded, because its chain is damaged, it stays, with the backups that build on
/// it.</para>
/// <para>With -Remote, or for a backup from Get-SHBackup -Remote, it removes the copy in the object store, and on this
/// machine only the record of that copy. Nothing is folded there: a copy that others build on can only go with them
/// (-Cascade).</para>
/// <para>All backups of the pipeline are removed at its end, increments before their parents. If it is stopped earlier,
/// nothing is removed. A backup that another run has removed meanwhile is no error, and that run emits it.</para>
/// </remarks>
/// <example>
/// <para>Remove backups older than thirty days</para>
/// <code>Get-SHBackup | Where-Object Age -gt 30d | Remove-SHBackup</code>
/// <para>Asks about each. 'Yes to All' answers for the rest.</para>
/// </example>
/// <example>
/// <para>Remove one backup without a question</para>
/// <code>Remove-SHBackup (Get-SHBackup -Database app.db -Newest 1).Id -Force</code>
/// <para>Emits the removed backup.</para>
/// </example>
/// <example>
/// <para>Remove a full backup with the backups that build on it</para>
/// <code>Get-SHBackup -Type Full | Where-Object Age -gt 90d | Remove-SHBackup -Cascade</code>
/// <para>Asks about each, including the backups that build on it.</para>
/// </example>
/// <seealso>Get-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(
    VerbsCommon.Remove, "SHBackup", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High, DefaultParameterSetName = ObjectSet,
    HelpUri = HelpPages.Folder + "Remove-SHBackup.md")]
[OutputType(typeof(BackupMetadata))]
public sealed class RemoveSHBackupCommand : DecryptingCommand
{
    private readonly StoreParameters storeParameters = new();
    private readonly Dictionary<BackupCatalog, List<BackupSource>> approved = [];
    private readonly Dictionary<string, HashSet<string>> parents = new(StringComparer.Ordinal);

    /// <summary>Makes the cmdlet.</summary>
    public RemoveSHBackupCommand() => AddSource(storeParameters);

    /// <summary>Also removes the backups that build on the given ones, instead of folding those into them. It asks about them too.</summary>
    [Parameter]
    public SwitchParameter Cascade { get; set; }

    /// <summary>Asks no question.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>
    /// Removes only the copy in an object store: in that of -From (or of -Provider and -Container), else the place that listed
    /// the backup, else that of its first copy.
    /// </summary>
    [Parameter]
    public SwitchParameter Remote { get; set; }

    private bool IsRemote => Remote || NamedStores.Count > 0;

    private protected override string? MissingStoreSwitch => IsRemote ? null : "-Remote";

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var source in Selected(storeParameters, IsRemote))
        {
            this.ReportErrors(() => Ask(source, Removal(source)));
            if (Cascade)
            {
                this.ReportErrors(() =>
                {
                    foreach (var dependant in Runner.Run(context => source.Catalog.Dependants(source.Backup.Id, context.Cancellation)))
                    {
                        Ask(source with { Backup = dependant }, $"{Named(source.Catalog)}, which builds on {source.Backup.Id}");
                    }
                });
            }
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        foreach (var sources in approved.Values)
        {
            this.ReportErrors(() => Remove(sources));
        }
    }

    private static string Named(BackupCatalog catalog) => catalog.Store is null ? "Remove backup" : $"Remove the copy in {catalog}";

    private string Removal(BackupSource source) => source.Catalog.Directory is { } directory && !Cascade && IsBuiltOn(source.Backup, directory)
        ? "Remove backup, after folding it into the kept backups that build on it"
        : Named(source.Catalog);

    /// <summary>Whether others build on a backup, in the state of the directory when this was first asked.</summary>
    private bool IsBuiltOn(BackupMetadata backup, BackupDirectory directory)
    {
        if (!parents.TryGetValue(directory.Path, out var known))
        {
            parents[directory.Path] = known = directory.Exists ? [.. directory.List().Backups.Select(other => other.ParentId).OfType<string>()] : [];
        }

        return known.Contains(backup.Id);
    }

    private void Ask(BackupSource source, string action)
    {
        var sources = approved.TryGetValue(source.Catalog, out var known) ? known : [];

        // Asked only once, although two directories of this machine may record the same copy.
        if (sources.Exists(other => other.Backup.Id == source.Backup.Id) || this.ShouldProcessUnlessForced(Force, Described(source.Backup), action))
        {
            sources.Add(source);
            approved[source.Catalog] = sources;
        }
    }

    private static string Described(BackupMetadata backup) =>
        string.Create(
            CultureInfo.InvariantCulture, $"{Named(backup)} ({backup.Timestamp.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC, {ProgressView.Size(backup.Size)})");

    private void Remove(List<BackupSource> sources)
    {
        var removed = new List<BackupMetadata>();
        var failed = new List<BackupException>();
        try
        {
            Runner.Run(context => BackupEngine.Remove(sources, removed.Add, failed.Add, context));
        }
        finally
        {
            // Including those that were removed before a fault ended the rest.
            WriteObject(removed, enumerateCollection: true);
            failed.ForEach(exception => WriteError(exception.ToRecord()));
        }
    }
}
