using SignalHarvester.Backup.PowerShell.Keys;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>The base of the cmdlets that may have to open encrypted backups.</summary>
public abstract class DecryptingCommand : BackupInputCommand
{
    private readonly KeyParameters keys = new();

    /// <summary>Makes the cmdlet.</summary>
    protected DecryptingCommand() => AddParameters(keys);

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        UseIdentities(keys, keys.Passphrase);
    }
}
