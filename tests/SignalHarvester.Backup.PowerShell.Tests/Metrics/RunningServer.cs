using System.Management.Automation;
using SignalHarvester.Backup.PowerShell.Tests.Support;

namespace SignalHarvester.Backup.PowerShell.Tests.Metrics;

/// <summary>Start-SHBackupMetricServer in an engine of its own, at a free port.</summary>
internal sealed class RunningServer : IDisposable
{
    private readonly PowerShellSession session;
    private readonly RunningScript script;

    private RunningServer(PowerShellSession session, RunningScript script, Uri url)
    {
        this.session = session;
        this.script = script;
        Url = url;
    }

    /// <summary>The reported address of the metrics.</summary>
    public Uri Url { get; }

    /// <summary>Starts it, and waits until it reports the address of the metrics.</summary>
    public static async Task<RunningServer> StartAsync(Workspace workspace, string parameters = "")
    {
        var session = PowerShellSession.Start();
        var script = session.Begin($"Start-SHBackupMetricServer -Port 0 -BackupDirectory $args[0] {parameters}", workspace.Backups);
        var said = await script.FirstInformationAsync();
        return new RunningServer(session, script, new Uri(said.Split(' ').Single(word => word.StartsWith("http://", StringComparison.Ordinal))));
    }

    /// <summary>Stops it as Ctrl+C does, and returns its warnings.</summary>
    public async Task<IReadOnlyList<string>> StopAsync()
    {
        await script.StopAsync();
        Assert.Equal(PSInvocationState.Stopped, script.State);
        return script.Warnings;
    }

    /// <summary>Stops it.</summary>
    public void Dispose()
    {
        script.Dispose();
        session.Dispose();
    }
}
