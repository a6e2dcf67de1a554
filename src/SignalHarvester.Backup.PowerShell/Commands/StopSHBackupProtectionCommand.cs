using System.Management.Automation;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.PowerShell.Completion;
using SignalHarvester.Backup.Protection;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Stops the continuous protection of databases.</summary>
/// <remarks>
/// <para>Asks the process that protects a database to stop, in the way of Ctrl+C, and waits until it has stored what is left and has left the
/// database. Do this before you put another file in the database's place, change its journal mode, or move it; then start the protection again.</para>
/// <para>Emits the protection as it ended. A database whose protection has ended already is left alone, with a warning; a name without wildcards under
/// which nothing was ever protected is an error.</para>
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
    private bool isNameGiven;

    /// <summary>
    /// The database, by its path (full, or from here, as ./app.db) or its file's name; wildcards match several. Without it, all of the directory.
    /// </summary>
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(DatabaseCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string? Database { get; set; }

    /// <summary>Seconds to wait for the end, 1 to 3600.</summary>
    [Parameter]
    [ValidateRange(1, 3600)]
    public int Timeout { get; set; } = 60;

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        isNameGiven = this.IsGivenAsText(nameof(Database));
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var directories = this.StopOnError(OpenDirectories);
        foreach (var (directory, status) in Named([.. directories.SelectMany(Protections)], directories))
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
                    var ended = Runner.Run(context => ProtectionHost.Stop(directory, status.Database, TimeSpan.FromSeconds(Timeout), context));
                    WriteObject(ended);
                    if (ended is { ErrorId: { } id, Problem: { } problem })
                    {
                        throw new BackupException(id, ended.Database, problem);
                    }
                }
            });
        }
    }

    private IEnumerable<(BackupDirectory Directory, BackupProtection Status)> Protections(BackupDirectory directory) =>
        ProtectionHost.Find(directory, fault => WriteError(fault.ToRecord())).Select(status => (directory, status));

    /// <summary>
    /// Returns the protections that -Database names. A text that is the name of one is no pattern, and what came through the pipeline never is: it
    /// must not stop more than it names.
    /// </summary>
    private IReadOnlyList<(BackupDirectory Directory, BackupProtection Status)> Named(
        IReadOnlyList<(BackupDirectory Directory, BackupProtection Status)> all, IReadOnlyList<BackupDirectory> directories)
    {
        if (Database is null)
        {
            if (all.Count == 0)
            {
                this.WriteNeverProtected(Database, isPattern: false, directories);
            }

            return all;
        }

        var isPattern = isNameGiven && WildcardPattern.ContainsWildcardCharacters(Database);
        var exact = new DatabaseFilter([Database], this.FileSystemPath, isLiteral: true);
        var named = all.Where(one => exact.Passes(one.Status.Database)).ToList();
        if (named.Count == 0 && isNameGiven)
        {
            var matching = Databases(Database);
            named.AddRange(all.Where(one => matching.Passes(one.Status.Database)));
        }

        if (named.Count == 0)
        {
            this.WriteNeverProtected(Database, isPattern, directories);
        }

        return named;
    }
}
