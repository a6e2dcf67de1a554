using System.Management.Automation;
using System.Text;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Metrics;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Exports the metrics of a backup directory for Prometheus: as a file for node_exporter, to a Pushgateway, or as text.</summary>
/// <remarks>
/// <para>Counters and histograms come from the history of operations (see Get-SHBackupHistory), so they continue across
/// processes; gauges describe the present backup directory. docs/METRICS.md describes each metric, and deploy/monitoring
/// has alert rules and a dashboard.</para>
/// <para>With -Path the metrics go to a file, which is replaced in one step, for node_exporter's textfile collector. With
/// -PushGateway they replace what the gateway has of the same job and instance. Without both, the text is emitted.</para>
/// <para>Export after every operation, including retention and removals, because a file or a gateway keeps the exported
/// values. Start-SHBackupMetricServer gives live values instead.</para>
/// </remarks>
/// <example>
/// <para>Back up, and write the metrics for node_exporter</para>
/// <code>New-SHBackup ./app.db | Out-Null; Export-SHBackupMetric -Path ./shbackup.prom -PassThru</code>
/// <para>Writes the file, and emits the same text. node_exporter reads files that end with .prom.</para>
/// </example>
/// <example>
/// <para>Show the metrics</para>
/// <code>Export-SHBackupMetric -BackupDirectory ./backups -ExpectedInterval 1d</code>
/// <para>Emits the text for Prometheus.</para>
/// </example>
/// <example>
/// <para>Push them to a Pushgateway</para>
/// <code>Export-SHBackupMetric -PushGateway http://127.0.0.1:9091 -Job signal_harvester_backup -WhatIf</code>
/// <para>Shows what would be pushed, and where.</para>
/// </example>
/// <seealso>Start-SHBackupMetricServer</seealso>
/// <seealso>Get-SHBackupHistory</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(
    VerbsData.Export, "SHBackupMetric", SupportsShouldProcess = true, DefaultParameterSetName = TextSet,
    HelpUri = HelpPages.Folder + "Export-SHBackupMetric.md")]
[OutputType(typeof(string))]
public sealed class ExportSHBackupMetricCommand : MetricCommand
{
    private const string TextSet = "Text";
    private const string PathSet = "Path";
    private const string PushSet = "Push";

    /// <summary>
    /// The file to write. For node_exporter, its folder must be that of --collector.textfile.directory, and its name must end
    /// with .prom. The folder must exist.
    /// </summary>
    [Parameter(Mandatory = true, ParameterSetName = PathSet)]
    [Alias("LiteralPath")]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = string.Empty;

    /// <summary>The address of a Pushgateway, such as http://127.0.0.1:9091.</summary>
    [Parameter(Mandatory = true, ParameterSetName = PushSet)]
    [ValidateNotNull]
    public Uri PushGateway { get; set; } = new("http://127.0.0.1:9091");

    /// <summary>The label job of the pushed metrics.</summary>
    [Parameter(ParameterSetName = PushSet)]
    [ValidateNotNullOrEmpty]
    public string Job { get; set; } = "signal_harvester_backup";

    /// <summary>The label instance of the pushed metrics. Without it, the name of this machine.</summary>
    [Parameter(ParameterSetName = PushSet)]
    [ValidateNotNullOrEmpty]
    public string Instance { get; set; } = Environment.MachineName;

    /// <summary>Emits the text as well.</summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = PushSet)]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => NoteOneDirectory();

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        foreach (var path in NotedDirectories)
        {
            this.ReportErrors(() => Export(OpenConfigured(path)));
        }
    }

    private void Export(BackupDirectory directory)
    {
        var file = ParameterSetName == PathSet ? this.FileSystemPath(Path) : null;
        if (ParameterSetName != TextSet && !ShouldProcess(file ?? Shown(PushGateway), $"Export the metrics of {directory.Path}"))
        {
            return;
        }

        var text = Runner.Run(context =>
        {
            var text = MetricText.Of(directory, Options(), context);
            if (file is not null)
            {
                MetricFile.Write(file, text);
            }
            else if (ParameterSetName == PushSet)
            {
                MetricPush.Run(PushGateway, Job, Instance, text, context.Cancellation);
            }

            return text;
        });
        if (ParameterSetName == TextSet || PassThru)
        {
            WriteObject(Encoding.UTF8.GetString(text));
        }
    }

    /// <summary>Returns an address without the password that it may contain.</summary>
    private static string Shown(Uri address) =>
        address.IsAbsoluteUri ? address.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped) : address.OriginalString;
}
