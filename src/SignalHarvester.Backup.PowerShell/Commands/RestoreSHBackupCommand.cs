using System.Globalization;
using System.Management.Automation;
using SignalHarvester.Backup.Operations;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Brings a database back from a backup.</summary>
/// <remarks>
/// <para>The backup is unpacked beside the destination and checked first; until that has passed, the destination is not
/// touched. Then what is there is kept as a safety backup, which is listed like any other, and the database is replaced.
/// A database that SQLite can open is replaced through SQLite in one transaction, so that it works while the application
/// has it open; a missing or broken one is replaced as a file. Killed at any point, the destination is the old database
/// or the new one.</para>
/// <para>Without -Destination the database goes back to where it was backed up from, after a question that shows the
/// path. With -Force no question is asked, so -Destination must be given.</para>
/// <para>The last three safety backups of a database are kept. They never count as the newest backup.</para>
/// </remarks>
/// <example>
/// <para>Restore the newest backup to a new file</para>
/// <code>Get-SHBackup -Newest 1 | Restore-SHBackup -Destination ./restored.db -Force</code>
/// <para>Restores, checks the result and emits the backup that was restored.</para>
/// </example>
/// <example>
/// <para>See what a restore would do</para>
/// <code>Get-SHBackup -Newest 1 | Restore-SHBackup -Destination ./app.db -WhatIf</code>
/// <para>Shows which backup would replace which file.</para>
/// </example>
/// <example>
/// <para>Restore over a database in use</para>
/// <code>Get-SHBackup -Verified -Newest 1 | Restore-SHBackup -Destination ./app.db -Force -Verbose</code>
/// <para>Keeps the present state as a safety backup, then replaces the database in one transaction.</para>
/// </example>
[Cmdlet(VerbsData.Restore, "SHBackup", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High, DefaultParameterSetName = IdSet)]
[OutputType(typeof(BackupMetadata))]
public sealed class RestoreSHBackupCommand : StoredFileCommand
{
    private readonly HashSet<string> restored = new(StringComparer.Ordinal);

    /// <summary>The database file to write. Without it, the path that the backup was made from, after a question.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    public string? Destination { get; set; }

    /// <summary>Asks no question. -Destination must then be given.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Skips integrity_check and the comparison of schema and rows. Checksums are compared in any case.</summary>
    [Parameter]
    public SwitchParameter NoVerify { get; set; }

    /// <summary>Keeps no copy of what is overwritten.</summary>
    [Parameter]
    public SwitchParameter NoSafetyBackup { get; set; }

    /// <summary>Seconds to wait for locks that other processes hold on the destination, 0 to 86400.</summary>
    [Parameter]
    [ValidateRange(0, 86400)]
    public int LockTimeout { get; set; } = 30;

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var (backup, directory) in SelectedWithFiles())
        {
            ForItem(() =>
            {
                if (Decide(backup) is not { } destination)
                {
                    return;
                }

                RefuseTwice(backup, destination);
                var options = new RestoreOptions
                {
                    Destination = destination,
                    SafetyDirectory = NoSafetyBackup ? null : directory ?? OpenDirectory(),
                    Verify = !NoVerify,
                    LockTimeout = TimeSpan.FromSeconds(LockTimeout),
                };
                WriteObject(RunOperation(context => RestoreBackup.Run(backup, directory, options, context)));
            });
        }
    }

    /// <summary>The path to restore to, once the user has agreed; null where not.</summary>
    private string? Decide(BackupMetadata backup)
    {
        var action = string.Create(CultureInfo.InvariantCulture, $"Restore {backup.Id} of {backup.Timestamp.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC ({ProgressView.Size(backup.DatabaseSize ?? backup.Size)})");
        if (Destination is not null)
        {
            var destination = FileSystemPath(Destination);
            return ShouldProcessUnlessForced(Force, destination, action) ? destination : null;
        }

        if (backup.DatabasePath is not { Length: > 0 } origin || Force)
        {
            throw new BackupException(
                BackupErrorId.DestinationRequired,
                BackupErrorCategory.InvalidArgument,
                backup.Id,
                Force
                    ? $"With -Force no question is asked, so where to restore '{backup.Id}' to must be given with -Destination."
                    : $"The backup '{backup.Id}' does not say where it was made from. Give a file with -Destination.");
        }

        if (IsWhatIf)
        {
            _ = ShouldProcess(origin, action);
            return null;
        }

        // Asked whatever -Confirm says: the path comes from a file that others may have written.
        return ShouldContinue($"{action} to '{origin}', where it was backed up from, and replace the database there?", "Restore a backup") ? origin : null;
    }

    private void RefuseTwice(BackupMetadata backup, string destination)
    {
        if (!restored.Add(destination))
        {
            throw new BackupException(
                BackupErrorId.InvalidArgument,
                BackupErrorCategory.InvalidArgument,
                backup.Id,
                $"'{destination}' was restored by this command already, and '{backup.Id}' would overwrite that. Pass one backup for each destination, for example with Get-SHBackup -Newest 1.");
        }
    }
}
