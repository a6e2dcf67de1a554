using System.Management.Automation;
using SignalHarvester.Backup.Protection;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Stops the continuous protection of databases.</summary>
/// <remarks>
/// <para>Asks the process that protects a database to stop, in the way of Ctrl+C, and waits until it has stored what is left and has left the
/// database. Do this before you put another file in the database's place, change its journal mode, or move it; then start the protection again.</para>
/// <para>Emits the protection as it ended. A database that is not protected is left alone, with a warning.</para>
/// </remarks>
/// <example>
/// <para>Stop the protection of one database</para>
/// <code>Get-SHBackupProtection app.db -BackupDirectory ./backups | Stop-SHBackupProtection -WhatIf</code>
/// <para>With -WhatIf it only says which one it would stop.</para>
/// </example>
/// <example>
/// <para>Stop the protection of all databases of a directory, and wait five minutes for it at most</para>
/// <code>Stop-SHBackupProtection -BackupDirectory ./backups -Timeout 300 -WhatIf</code>
/// <para>What could not be stored within 30 seconds is in the database, and is stored at the next start.</para>
/// </example>
/// <seealso>Start-SHBackupProtection</seealso>
/// <seealso>Get-SHBackupProtection</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsLifecycle.Stop, "SHBackupProtection", SupportsShouldProcess = true, HelpUri = HelpPages.Folder + "Stop-SHBackupProtection.md")]
[OutputType(typeof(BackupProtection))]
public sealed class StopSHBackupProtectionCommand : BackupCommand
{
    /// <summary>
    /// The database, by its path (full, or from here, as ./app.db) or its file's name; wildcards match several. Without it, all of the directory.
    /// </summary>
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string? Database { get; set; }

    /// <summary>Seconds to wait for the end, 1 to 3600.</summary>
    [Parameter]
    [ValidateRange(1, 3600)]
    public int Timeout { get; set; } = 60;

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var filter = Database is null ? Databases(null) : Databases(Database);
        foreach (var directory in this.StopOnError(OpenDirectories))
        {
            foreach (var status in ProtectionHost.Find(directory).Where(status => filter.Passes(status.Database)))
            {
                if (status.State is ProtectionState.Stopped or ProtectionState.Ended or ProtectionState.Fenced)
                {
                    WriteWarning($"'{status.Database}' is not protected at the moment ({status.State}).");
                    continue;
                }

                this.ReportErrors(() =>
                {
                    if (ShouldProcess(status.Database, "Stop the continuous protection"))
                    {
                        WriteObject(Runner.Run(context => ProtectionHost.Stop(directory, status.Database, TimeSpan.FromSeconds(Timeout), context)));
                    }
                });
            }
        }
    }
}
