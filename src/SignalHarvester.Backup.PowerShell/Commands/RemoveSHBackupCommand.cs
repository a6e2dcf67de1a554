using System.Globalization;
using System.Management.Automation;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.PowerShell.Stores;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Removes backups.</summary>
/// <remarks>
/// <para>Removes the backup file and its sidecar, and the entry in the predecessor's index where there is one. It asks
/// for each backup, unless -Force or -Confirm:$false is given. Nothing outside the backup directory is ever removed,
/// whatever a sidecar says.</para>
/// <para>A backup that others build on is first folded into them: the oldest of them becomes what the removed one was, and
/// every other backup restores at any moment, also when the removal is killed midway. With -Cascade those that build on it
/// are removed too. A backup that cannot be folded, because its chain is damaged, stays, with all that builds on it.</para>
/// <para>With -Remote, or of a backup that Get-SHBackup -Remote listed, the copy in the object store is removed, and nothing
/// here but the record of it. Nothing is folded there: what others build on goes only with them (-Cascade).</para>
/// <para>All backups of the pipeline are removed at its end, those that build on others first. Stopped before, nothing
/// is removed. What another run has removed meanwhile is no error, and is emitted by that one.</para>
/// </remarks>
/// <example>
/// <para>Remove what is older than thirty days</para>
/// <code>Get-SHBackup | Where-Object Age -gt 30d | Remove-SHBackup</code>
/// <para>Asks for each. 'Yes to All' answers for the rest.</para>
/// </example>
/// <example>
/// <para>Remove one backup without a question</para>
/// <code>Remove-SHBackup (Get-SHBackup -Database app.db -Newest 1).Id -Force</code>
/// <para>Emits the backup that was removed.</para>
/// </example>
/// <example>
/// <para>Remove a full backup with all that builds on it</para>
/// <code>Get-SHBackup -Type Full | Where-Object Age -gt 90d | Remove-SHBackup -Cascade</code>
/// <para>Asks for each, those that build on a full backup included.</para>
/// </example>
/// <seealso>Get-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsCommon.Remove, "SHBackup", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High, DefaultParameterSetName = ObjectSet)]
[OutputType(typeof(BackupMetadata))]
public sealed class RemoveSHBackupCommand : DecryptingCommand, IDynamicParameters
{
    private readonly StoreParameters cloud = new();
    private readonly Dictionary<BackupCatalog, HashSet<string>> approved = [];
    private readonly Dictionary<string, HashSet<string>> parents = new(StringComparer.Ordinal);

    /// <summary>Removes what builds on the given backups as well, instead of folding them into it. It is asked for too.</summary>
    [Parameter]
    public SwitchParameter Cascade { get; set; }

    /// <summary>Asks no question.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>
    /// Removes the copy in an object store, and only that: the place named with -Provider and -Container, else the one that
    /// the backup was listed from, else that of its first copy.
    /// </summary>
    [Parameter]
    public SwitchParameter Remote { get; set; }

    /// <summary>The parameters of the object store.</summary>
    public object GetDynamicParameters() => cloud;

    private protected override string? MissingStoreSwitch => Remote ? null : "-Remote";

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var source in Selected(cloud, Remote))
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
        foreach (var (catalog, ids) in approved)
        {
            this.ReportErrors(() => Remove(catalog, ids));
        }
    }

    private static string Named(BackupCatalog catalog) => catalog.Store is null ? "Remove backup" : $"Remove the copy in {catalog}";

    private string Removal(BackupSource source) => source.Catalog.Directory is { } directory && !Cascade && IsBuiltOn(source.Backup, directory)
        ? "Remove backup, and fold it first into those that build on it and stay"
        : Named(source.Catalog);

    /// <summary>Whether others build on a backup, as the directory was when it was first asked.</summary>
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
        var ids = approved.TryGetValue(source.Catalog, out var known) ? known : [];
        if (!ids.Contains(source.Backup.Id) && this.ShouldProcessUnlessForced(Force, Described(source.Backup), action))
        {
            ids.Add(source.Backup.Id);
            approved[source.Catalog] = ids;
        }
    }

    private static string Described(BackupMetadata backup) =>
        string.Create(CultureInfo.InvariantCulture, $"{Named(backup)} ({backup.Timestamp.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC, {ProgressView.Size(backup.Size)})");

    private void Remove(BackupCatalog catalog, HashSet<string> ids)
    {
        var removed = new List<BackupMetadata>();
        var failed = new List<BackupException>();
        try
        {
            Runner.Run(context => BackupEngine.Remove(ids, catalog, removed.Add, failed.Add, context));
        }
        finally
        {
            // Also what was removed before a fault that ended the rest.
            WriteObject(removed, enumerateCollection: true);
            failed.ForEach(exception => WriteError(exception.ToRecord()));
        }
    }
}
