using System.Globalization;
using System.Management.Automation;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Operations;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Removes backups.</summary>
/// <remarks>
/// <para>Removes the backup file and its sidecar, and the entry in the predecessor's index where there is one. It asks
/// for each backup, unless -Force or -Confirm:$false is given. Nothing outside the backup directory is ever removed,
/// whatever a sidecar says.</para>
/// <para>A backup that others build on is first folded into them: the oldest of them becomes what the removed one was, and
/// every other backup restores at any moment, also when the removal is killed midway. With -Cascade those that build on it
/// are removed too. A backup that cannot be folded, because its chain is damaged, stays, with all that builds on it.</para>
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
/// <code>Remove-SHBackup (Get-SHBackup -Newest 1).Id -Force</code>
/// <para>Emits the backup that was removed.</para>
/// </example>
/// <example>
/// <para>Remove a full backup with all that builds on it</para>
/// <code>Get-SHBackup -Type Full | Where-Object Age -gt 90d | Remove-SHBackup -Cascade</code>
/// <para>Asks for each, those that build on a full backup included.</para>
/// </example>
/// <seealso>Get-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsCommon.Remove, "SHBackup", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High, DefaultParameterSetName = IdSet)]
[OutputType(typeof(BackupMetadata))]
public sealed class RemoveSHBackupCommand : StoredBackupCommand
{
    private readonly Dictionary<string, HashSet<string>> approved = new(StringComparer.Ordinal);

    /// <summary>Removes what builds on the given backups as well, instead of folding them into it. It is asked for too.</summary>
    [Parameter]
    public SwitchParameter Cascade { get; set; }

    /// <summary>Asks no question.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var (backup, directory) in Selected())
        {
            Ask(backup, directory, "Remove backup");
            if (Cascade)
            {
                ForItem(() =>
                {
                    foreach (var dependant in directory.Dependants(backup.Id))
                    {
                        Ask(dependant, directory, $"Remove backup, which builds on {backup.Id}");
                    }
                });
            }
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        foreach (var (path, ids) in approved)
        {
            ForItem(() => Remove(path, ids));
        }
    }

    private void Ask(BackupMetadata backup, BackupDirectory directory, string action)
    {
        var ids = approved.TryGetValue(directory.Path, out var known) ? known : [];
        var target = string.Create(CultureInfo.InvariantCulture, $"{backup.Id} of {backup.DatabasePath} ({backup.Timestamp.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC, {ProgressView.Size(backup.Size)})");
        if (!ids.Contains(backup.Id) && ShouldProcessUnlessForced(Force, target, action))
        {
            ids.Add(backup.Id);
            approved[directory.Path] = ids;
        }
    }

    private void Remove(string path, HashSet<string> ids)
    {
        var directory = OpenDirectory(path);
        var removed = new List<BackupMetadata>();
        var failed = new List<BackupException>();
        try
        {
            _ = RunOperation(context =>
            {
                RemoveBackups.Run(ids, directory, removed.Add, failed.Add, context);
                return true;
            });
        }
        finally
        {
            // Also what was removed before a fault that ended the rest.
            WriteObject(removed, enumerateCollection: true);
            failed.ForEach(exception => WriteError(ToRecord(exception)));
        }
    }
}
