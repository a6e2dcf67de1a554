using System.Management.Automation;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.PowerShell.Completion;
using SignalHarvester.Backup.Protection;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Shows the continuous protection of databases.</summary>
/// <remarks>
/// <para>Emits one object for each database that is or was protected with a backup directory: what the protection is doing, how far
/// the store is behind, to which moments the database can be restored, how long storing took for half and for 99 of 100 transactions of the last
/// day, gaps, and the last problem. It reads what the protecting process wrote a second ago at most, and neither the database nor the store.</para>
/// <para>A process that was killed leaves its last status; then State is Ended. One that lives, and has not looked at the database or written
/// its status for 30 seconds, is Waiting.</para>
/// <para>A name without wildcards under which nothing was ever protected is an error.</para>
/// </remarks>
/// <example>
/// <para>Show the protection of all databases</para>
/// <code>Get-SHBackupProtection -BackupDirectory ./backups</code>
/// <para>Lag is zero if everything that was committed is stored.</para>
/// </example>
/// <example>
/// <para>Find protection that is behind, or is not running</para>
/// <code>Get-SHBackupProtection -BackupDirectory ./backups | Where-Object { $_.State -ne 'Following' -or $_.Lag.TotalSeconds -gt 10 }</code>
/// <para>Emits nothing if all is well.</para>
/// </example>
/// <seealso>Start-SHBackupProtection</seealso>
/// <seealso>Stop-SHBackupProtection</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsCommon.Get, "SHBackupProtection", HelpUri = HelpPages.Folder + "Get-SHBackupProtection.md")]
[OutputType(typeof(BackupProtection))]
public sealed class GetSHBackupProtectionCommand : BackupCommand
{
    /// <summary>Only the protection of this database, by its path (full, or from here, as ./app.db) or its file's name; wildcards match several.</summary>
    [Parameter(Position = 0)]
    [ArgumentCompleter(typeof(DatabaseCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string? Database { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => NoteDirectories();

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        var filter = Database is null ? Databases(null) : Databases(Database);
        var isFound = false;
        var directories = new List<BackupDirectory>();
        foreach (var path in NotedDirectories)
        {
            this.ReportErrors(() =>
            {
                var directory = OpenConfigured(path);
                directories.Add(directory);
                foreach (var status in ProtectionHost.Find(directory, fault => WriteError(fault.ToRecord())).Where(status => filter.Passes(status.Database)))
                {
                    isFound = true;
                    WriteObject(status);
                }
            });
        }

        if (!isFound && directories.Count > 0)
        {
            this.WriteNeverProtected(Database, isPattern: Database is not null && WildcardPattern.ContainsWildcardCharacters(Database), directories);
        }
    }
}
