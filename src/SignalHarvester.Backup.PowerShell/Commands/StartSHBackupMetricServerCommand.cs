using System.Globalization;
using System.Management.Automation;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Metrics;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Serves the metrics of a backup directory for Prometheus to scrape, until it is stopped.</summary>
/// <remarks>
/// <para>Answers http://address:port/metrics with the present metrics of the backup directory and its history. It locks
/// nothing, so other processes can make backups. It runs until Ctrl+C or a signal stops it, and emits nothing.</para>
/// <para>It has neither password nor TLS, and metrics name the paths of databases, so it listens only to this machine
/// unless -Address says otherwise. If the history or the directory cannot be read, scrapes get 503, and one warning says
/// why.</para>
/// </remarks>
/// <example>
/// <para>Serve the metrics to a Prometheus on this machine</para>
/// <code>Start-SHBackupMetricServer -BackupDirectory ./backups -Port 9464 -WhatIf</code>
/// <para>With -WhatIf it only says what it would do. Without, it serves until Ctrl+C.</para>
/// </example>
/// <example>
/// <para>Serve them to the network, with the interval for alerts</para>
/// <code>Start-SHBackupMetricServer -Port 9464 -Address 0.0.0.0 -ExpectedInterval 1d -Label @{ directory = 'main' } -WhatIf</code>
/// <para>Put a firewall or a proxy with a password in front of it.</para>
/// </example>
/// <seealso>Export-SHBackupMetric</seealso>
/// <seealso>Get-SHBackupHistory</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsLifecycle.Start, "SHBackupMetricServer", SupportsShouldProcess = true, HelpUri = HelpPages.Folder + "Start-SHBackupMetricServer.md")]
[OutputType(typeof(void))]
public sealed class StartSHBackupMetricServerCommand : MetricCommand
{
    /// <summary>The port to listen on, 1 to 65535; 0 takes a free one, and says which.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateRange(0, 65535)]
    public int Port { get; set; }

    /// <summary>The IP address to listen on. 0.0.0.0 means all addresses of this machine.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string Address { get; set; } = "127.0.0.1";

    /// <inheritdoc/>
    protected override void ProcessRecord() => NoteOneDirectory();

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        foreach (var path in NotedDirectories)
        {
            Serve(OpenConfigured(path));
        }
    }

    private void Serve(BackupDirectory directory)
    {
        if (!ShouldProcess($"{Address}:{Port.ToString(CultureInfo.InvariantCulture)}", $"Serve the metrics of {directory.Path}"))
        {
            return;
        }

        using var server = this.StopOnError(() => new MetricServer(Address, Port, directory, Options()));
        WriteInformation(new HostInformationMessage { Message = $"Serving the metrics of '{directory.Path}' at {server.Url} until Ctrl+C." }, ["PSHOST"]);
        Runner.Run(context => server.Run(context));
    }
}
