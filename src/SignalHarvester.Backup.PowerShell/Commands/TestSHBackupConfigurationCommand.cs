using System.Management.Automation;
using SignalHarvester.Backup.Configuration;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Validates a configuration, and names everything that is wrong with it.</summary>
/// <remarks>
/// <para>Emits one object for each problem: its place (file, line, column), the key, what was found and what is allowed there.
/// Errors make the configuration useless: every cmdlet refuses to work with it. Warnings are what may not be as it
/// was meant, such as a path that does not exist. When there are errors, one error is written at the end as well, so
/// that a script can tell.</para>
/// <para>Only app.database_path and what is below app.backup is looked at; all else is the application's.</para>
/// <para>A configuration without a problem emits nothing, and says so with -Verbose.</para>
/// </remarks>
/// <example>
/// <para>Find every problem of the sample on this machine</para>
/// <code>New-SHBackupConfiguration | Test-SHBackupConfiguration</code>
/// <para>The sample has no errors. It is said that the database which it names is not there.</para>
/// </example>
/// <example>
/// <para>Decide in a script</para>
/// <code>New-SHBackupConfiguration | Out-Null; if (Test-SHBackupConfiguration -Quiet) { 'good' } else { 'mend it' }</code>
/// <para>With -Quiet only True or False is emitted. Warnings do not count.</para>
/// </example>
/// <seealso>New-SHBackupConfiguration</seealso>
/// <seealso>Get-SHBackupConfiguration</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsDiagnostic.Test, "SHBackupConfiguration")]
[OutputType(typeof(ConfigurationProblem), typeof(bool))]
public sealed class TestSHBackupConfigurationCommand : ConfigurationCommand
{
    /// <summary>Emits True or False instead of the problems, and writes no error. A file that is not there gives False.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (Quiet)
        {
            WriteObject(IsGood());
            return;
        }

        this.ReportErrors(() =>
        {
            var configuration = Find();
            WriteObject(configuration.Problems, enumerateCollection: true);
            WriteObject(configuration.MissingPaths(), enumerateCollection: true);
            if (configuration.Fault(isListed: false) is { } fault)
            {
                throw fault;
            }

            WriteVerbose($"The configuration {configuration.Path ?? "in the environment"} has no errors.");
        });
    }

    private bool IsGood()
    {
        try
        {
            return Find().Fault(isListed: false) is null;
        }
        catch (BackupException)
        {
            return false;
        }
    }

    private BackupConfiguration Find()
    {
        var configuration = FindConfiguration();
        return configuration.Path is not null || configuration.Effective.Any(setting => setting.Source == ConfigurationSource.Environment)
            ? configuration
            : throw new BackupException(
                BackupErrorId.ConfigurationNotFound, nameof(ConfigurationPath), "There is no configuration to test. Give one with -ConfigurationPath, or make one with New-SHBackupConfiguration.");
    }
}
