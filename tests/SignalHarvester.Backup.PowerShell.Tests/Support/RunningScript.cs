using System.Management.Automation;

namespace SignalHarvester.Backup.PowerShell.Tests.Support;

/// <summary>A script that runs while the test continues.</summary>
internal sealed class RunningScript : IDisposable
{
    private readonly System.Management.Automation.PowerShell shell;
    private readonly Task run;

    /// <summary>Starts it.</summary>
    /// <param name="shell">The engine, with the script. It is disposed with this object.</param>
    public RunningScript(System.Management.Automation.PowerShell shell)
    {
        this.shell = shell;
        run = shell.InvokeAsync();
    }

    /// <summary>Its state.</summary>
    public PSInvocationState State => shell.InvocationStateInfo.State;

    /// <summary>The warnings, after it has ended: until then, reading them waits for more.</summary>
    public IReadOnlyList<string> Warnings => [.. shell.Streams.Warning.Select(warning => warning.Message)];

    /// <summary>Returns its first information message; fails the test if it ends before.</summary>
    public async Task<string> FirstInformationAsync()
    {
        while (shell.Streams.Information.Count == 0)
        {
            if (run.IsCompleted)
            {
                Assert.Fail(string.Join(Environment.NewLine, shell.Streams.Error));
            }

            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        return shell.Streams.Information[0].ToString();
    }

    /// <summary>Stops it, as Ctrl+C does.</summary>
    public async Task StopAsync()
    {
        await shell.StopAsync(null, null);
        await Assert.ThrowsAsync<PipelineStoppedException>(() => run);
    }

    /// <summary>Stops it.</summary>
    public void Dispose()
    {
        shell.Stop();
        shell.Dispose();
    }
}
