using System.Management.Automation;
using SignalHarvester.Backup.Configuration;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Validates a configuration, and lists all its problems.</summary>
/// <remarks>
/// <para>Emits one object for each problem: its place (file, line, column), the key, the value found and the allowed
/// values. With an error in it, every cmdlet refuses to use the configuration. A warning is a possible mistake, such as a
/// path that does not exist. If there are errors, one error is also written at the end, for scripts.</para>
/// <para>It checks only app.database_path and the keys below app.backup; everything else belongs to the application.</para>
/// <para>For a configuration without problems it emits nothing; -Verbose says so.</para>
/// </remarks>
/// <example>
/// <para>Find every problem of the sample on this machine</para>
/// <code>New-SHBackupConfiguration | Test-SHBackupConfiguration</code>
/// <para>The sample has no errors. A warning says that its database does not exist.</para>
/// </example>
/// <example>
/// <para>Decide in a script</para>
/// <code>New-SHBackupConfiguration | Out-Null; if (Test-SHBackupConfiguration -Quiet) { 'good' } else { 'correct it' }</code>
/// <para>With -Quiet only True or False is emitted. Warnings do not count.</para>
/// </example>
/// <seealso>New-SHBackupConfiguration</seealso>
/// <seealso>Get-SHBackupConfiguration</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsDiagnostic.Test, "SHBackupConfiguration", HelpUri = HelpPages.Folder + "Test-SHBackupConfiguration.md")]
[OutputType(typeof(ConfigurationProblem), typeof(bool))]
public sealed class TestSHBackupConfigurationCommand : ConfigurationCommand
{
    /// <summary>Emits True or False instead of the problems, and writes no error. For a missing file it emits False.</summary>
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
                BackupErrorId.ConfigurationNotFound, nameof(ConfigurationPath),
                "There is no configuration to test. Give one with -ConfigurationPath, or create one with New-SHBackupConfiguration.");
    }
}
