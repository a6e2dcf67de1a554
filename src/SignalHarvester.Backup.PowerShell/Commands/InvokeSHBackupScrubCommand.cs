using System.Management.Automation;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Operations.Scrub;
using SignalHarvester.Backup.PowerShell.Stores;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Re-reads stored backups, so that a disk that forgets is found out before they are needed.</summary>
/// <remarks>
/// <para>Reads the files of the backups as they lie on disk and compares size and SHA-256 with what was recorded. The file that
/// was read longest ago comes first, so that with -Percent or -Budget all have their turn, run by run. Nothing is decrypted or
/// unpacked: no key is needed. Backups of the predecessor, which recorded no checksum of the file, are unpacked once instead.</para>
/// <para>A file that is not what was recorded, twice in a row, is fetched again from a copy in an object store: one that is
/// recorded with the backup, or the place that is named with -Provider and -Container. That is a warning. Where no copy is good,
/// file and sidecar are moved to the folder quarantine of the backup directory, and an error is written for it; the backups that
/// build on it stay listed, as broken, and the next New-SHBackup -Type Incremental makes a full one. Nothing is ever deleted.</para>
/// <para>A file that the disk does not give is read three times; then an error is written, and the file is left where it is.</para>
/// <para>What a directory in the quarantine holds is a backup directory of its own: look into it with Get-SHBackup
/// -BackupDirectory.</para>
/// </remarks>
/// <example>
/// <para>Read all backups again</para>
/// <code>Invoke-SHBackupScrub</code>
/// <para>Shows for each what was found, and what that rests on.</para>
/// </example>
/// <example>
/// <para>Read a tenth of all stored bytes, each night another one</para>
/// <code>Invoke-SHBackupScrub -Percent 10</code>
/// <para>After ten nights all backups were read. The run fails when one is not good.</para>
/// </example>
/// <example>
/// <para>Read for five minutes at most, and count what is not good</para>
/// <code>"not good: $(@(Invoke-SHBackupScrub -Budget 5m | Where-Object Outcome -ne Good).Count)"</code>
/// <para>No file is begun after five minutes; the one that is being read is read to its end.</para>
/// </example>
/// <seealso>Test-SHBackup</seealso>
/// <seealso>Get-SHBackupHealth</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsLifecycle.Invoke, "SHBackupScrub", SupportsShouldProcess = true, DefaultParameterSetName = PercentSet)]
[OutputType(typeof(BackupScrubResult))]
public sealed class InvokeSHBackupScrubCommand : BackupCommand, IDynamicParameters
{
    private const string PercentSet = "Percent";

    private readonly StoreParameters cloud = new();

    /// <summary>How much of all stored bytes is read, in percent, 1 to 100. Whole files are read, so that it may be more. Without it, all.</summary>
    [Parameter(ParameterSetName = PercentSet)]
    [ValidateRange(1, 100)]
    public int Percent { get; set; } = 100;

    /// <summary>How long files are begun to be read, such as 5m or 2h. Quote seconds: '30s'.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Budget")]
    [ValidateNotNull]
    public BackupAge? Budget { get; set; }

    /// <summary>The parameters of the object store that damaged files are fetched from.</summary>
    public object GetDynamicParameters() => cloud;

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var directory in this.StopOnError(OpenDirectories))
        {
            this.ReportErrors(() => Scrub(directory));
        }
    }

    private void Scrub(BackupDirectory directory)
    {
        var (began, started) = (TimeProvider.System.GetUtcNow(), TimeProvider.System.GetTimestamp());
        var planned = ScrubPlan.Of(directory, ParameterSetName == PercentSet ? Percent : null, began, fault => WriteError(fault.ToRecord()));
        long bytes = 0;
        try
        {
            foreach (var backup in planned)
            {
                if (Budget is { } budget && TimeProvider.System.GetElapsedTime(started) > budget.Value)
                {
                    WriteVerbose($"The time is used up; '{backup.Id}' comes first the next time.");
                    break;
                }

                if (ShouldProcess(string.IsNullOrEmpty(backup.DatabasePath) ? backup.Id : $"{backup.Id} of {backup.DatabasePath}", "Read the stored file and compare it"))
                {
                    this.ReportErrors(() => bytes += Scrub(backup, directory));
                }
            }
        }
        finally
        {
            if (bytes > 0)
            {
                Runner.Run(context => BackupEngine.ScrubEnded(directory, began, TimeProvider.System.GetElapsedTime(started), bytes, context));
            }
        }
    }

    private long Scrub(BackupMetadata backup, BackupDirectory directory)
    {
        var report = Runner.Run(context => BackupEngine.Scrub(backup, directory, Copies, context));
        if (report is null)
        {
            WriteVerbose($"'{backup.Id}' was removed meanwhile.");
            return 0;
        }

        WriteObject(report.Result);
        if (report.Fault is { } fault)
        {
            WriteError(fault.ToRecord());
        }

        return report.Result.Bytes;
    }

    private IEnumerable<Func<StoreCatalog>> Copies(BackupMetadata backup) =>
        Stores(cloud).CopiesOf(backup).Select(location => (Func<StoreCatalog>)(() => OpenStore(cloud, location)));
}
