using System.Globalization;
using System.Management.Automation;
using SignalHarvester.Backup.Operations;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Removes backups.</summary>
/// <remarks>
/// <para>Removes the backup file and its sidecar, and the entry in the predecessor's index where there is one. It asks
/// for each backup, unless -Force or -Confirm:$false is given. Nothing outside the backup directory is ever removed,
/// whatever a sidecar says.</para>
/// <para>All backups of the pipeline are removed at its end, those that build on others first. Stopped before, nothing
/// is removed.</para>
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
[Cmdlet(VerbsCommon.Remove, "SHBackup", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High, DefaultParameterSetName = IdSet)]
[OutputType(typeof(BackupMetadata))]
public sealed class RemoveSHBackupCommand : StoredBackupCommand
{
    private readonly List<(string Directory, string Id)> approved = [];

    /// <summary>Asks no question.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var (backup, directory) in Selected())
        {
            var target = string.Create(CultureInfo.InvariantCulture, $"{backup.Id} of {backup.DatabasePath} ({backup.Timestamp.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC, {ProgressView.Size(backup.Size)})");
            if (ShouldProcessUnlessForced(Force, target, "Remove backup"))
            {
                approved.Add((directory.Path, backup.Id));
            }
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        foreach (var group in approved.GroupBy(item => item.Directory, item => item.Id))
        {
            ForItem(() => Remove(group.Key, [.. group]));
        }
    }

    private void Remove(string path, IReadOnlyList<string> ids)
    {
        var directory = OpenDirectory(path);
        var removed = new List<BackupMetadata>();
        var failed = new List<BackupException>();
        _ = RunOperation(context =>
        {
            directory.Remove(ids, removed.Add, failed.Add, context.Cancellation, text => context.Report(new OperationMessage(IsWarning: true, text)));
            return true;
        });
        WriteObject(removed, enumerateCollection: true);
        failed.ForEach(exception => WriteError(ToRecord(exception)));
    }
}
