using System.Collections;
using System.Globalization;
using System.Management.Automation;
using SignalHarvester.Backup.Scheduling;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>
/// A process of its own for continuous protection. When anything in a process closes a file, the system drops the process's locks on that
/// file, and in a session anything may happen: a hash of the database is enough. So the session only starts the process and waits for it.
/// </summary>
/// <param name="cmdlet">The cmdlet that waits.</param>
internal sealed class ProtectionProcess(PSCmdlet cmdlet)
{
    // These are answered here, or are the session's own.
    private static readonly string[] NotPassed =
    [
        "WhatIf", "Confirm", "Debug", "ErrorAction", "ErrorVariable", "WarningVariable", "InformationVariable", "OutVariable", "PipelineVariable", "OutBuffer",
    ];

    /// <summary>Runs the cmdlet in a new process with the parameters of this one. What it says appears in the terminal.</summary>
    /// <param name="databases">The databases, as full paths.</param>
    /// <param name="stop">Asks the new process to stop.</param>
    /// <param name="stopped">Cancelled when this session is told to stop.</param>
    /// <returns>Its exit code.</returns>
    /// <exception cref="BackupException">SchedulerUnavailable: there is neither pwsh nor shbackup.</exception>
    public int Run(IReadOnlyList<string> databases, Action stop, CancellationToken stopped)
    {
        var manifest = ScheduleCommand.ManifestPath(cmdlet);
        var command =
            "$p = [System.Management.Automation.PSSerializer]::Deserialize([Console]::In.ReadToEnd()); $global:LASTEXITCODE = 1; "

            // Two processes draw on one terminal: a bar of this one would be drawn over what the other says.
            + "$ProgressPreference = 'SilentlyContinue'; "
            + "Start-SHBackupProtection @p -ThisProcess; exit [int](-not $?)";
        return TaskProcess.Run(
            TaskCommand.ForPrompt(command, manifest),
            PSSerializer.Serialize(Parameters(databases)),
            cmdlet.SessionState.Path.CurrentFileSystemLocation.ProviderPath,
            stop,
            stopped);
    }

    private Hashtable Parameters(IReadOnlyList<string> databases)
    {
        var passed = new Hashtable(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in cmdlet.MyInvocation.BoundParameters)
        {
            if (!NotPassed.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                passed[name] = value switch
                {
                    SwitchParameter given => given.IsPresent,
                    BackupAge age => string.Create(CultureInfo.InvariantCulture, $"{(long)age.Value.TotalSeconds}s"),
                    string or string[] or double or int => value,
                    _ => LanguagePrimitives.ConvertTo<string>(value),
                };
            }
        }

        // What a wildcard or the pipeline named is decided here, and a link was followed.
        passed.Remove(nameof(StartSHBackupProtectionCommand.DatabasePath));
        passed[nameof(StartSHBackupProtectionCommand.LiteralPath)] = databases.ToArray();

        // How each has ended is in its status, and an error of this cmdlet.
        passed["ErrorAction"] = nameof(ActionPreference.SilentlyContinue);
        return passed;
    }
}
