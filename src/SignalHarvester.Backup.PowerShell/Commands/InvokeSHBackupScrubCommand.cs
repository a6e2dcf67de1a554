using System.Management.Automation;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Operations.Scrub;
using SignalHarvester.Backup.PowerShell.Completion;
using SignalHarvester.Backup.PowerShell.Stores;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Re-reads stored backups, to find and repair bit rot before you need them.</summary>
/// <remarks>
/// <para>Reads the stored files of the backups and compares size and SHA-256 with their records. The file that was read
/// longest ago comes first, so with -Percent or -Budget all have their turn, run by run. Nothing is decrypted or
/// unpacked, so no key is needed. Backups of the Python tool, which recorded no checksum of the file, are unpacked once
/// instead.</para>
/// <para>If a file differs from its record twice in a row, a copy from an object store replaces it: one that the backup
/// records, or one in the store of -From. That is a warning. If no copy is good, file and sidecar move
/// to the folder quarantine of the backup directory, and an error is written; the backups that build on it stay listed,
/// as broken, and the next New-SHBackup -Type Incremental makes a full one. Nothing is ever deleted.</para>
/// <para>If the disk fails to read a file three times, an error is written, and the file stays in its place.</para>
/// <para>Each folder in the quarantine is a backup directory of its own: list it with Get-SHBackup -BackupDirectory.</para>
/// </remarks>
/// <example>
/// <para>Read all backups again</para>
/// <code>Invoke-SHBackupScrub</code>
/// <para>Shows the outcome for each, with the reason.</para>
/// </example>
/// <example>
/// <para>Read a tenth of all stored bytes, a different one each night</para>
/// <code>Invoke-SHBackupScrub -Percent 10</code>
/// <para>After ten nights all backups were read. The run fails if one is bad.</para>
/// </example>
/// <example>
/// <para>Read for at most five minutes, and count the bad files</para>
/// <code>"not good: $(@(Invoke-SHBackupScrub -Budget 5m | Where-Object Outcome -ne Good).Count)"</code>
/// <para>After five minutes no new file is started; the current one is read to its end.</para>
/// </example>
/// <seealso>Test-SHBackup</seealso>
/// <seealso>Get-SHBackupHealth</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(
    VerbsLifecycle.Invoke, "SHBackupScrub", SupportsShouldProcess = true, DefaultParameterSetName = PercentSet,
    HelpUri = HelpPages.Folder + "Invoke-SHBackupScrub.md")]
[OutputType(typeof(BackupScrubResult))]
public sealed class InvokeSHBackupScrubCommand : BackupCommand
{
    private const string PercentSet = "Percent";

    private readonly StoreParameters storeParameters = new();

    /// <summary>Makes the cmdlet.</summary>
    public InvokeSHBackupScrubCommand() => AddSource(storeParameters);

    /// <summary>The share of all stored bytes to read, in percent, 1 to 100. Only whole files are read, so it may be more. Without it, all.</summary>
    [Parameter(ParameterSetName = PercentSet)]
    [ValidateRange(1, 100)]
    public int Percent { get; set; } = 100;

    /// <summary>The time after which no further file is started, such as 5m or 2h. Quote seconds: '30s'.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Budget")]
    [ArgumentCompleter(typeof(AgeCompleter))]
    [ValidateNotNull]
    public BackupAge? Budget { get; set; }

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
                    WriteVerbose($"Time budget used up; the next scrub starts with '{backup.Id}'.");
                    break;
                }

                if (ShouldProcess(
                    string.IsNullOrEmpty(backup.DatabasePath) ? backup.Id : $"{backup.Id} of {backup.DatabasePath}", "Read the stored file and compare it"))
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
        Stores(storeParameters).CopiesOf(backup).Select(location => (Func<StoreCatalog>)(() => OpenStore(storeParameters, location)));
}
