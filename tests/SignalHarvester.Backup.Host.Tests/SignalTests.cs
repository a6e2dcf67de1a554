using System.Diagnostics;

namespace SignalHarvester.Backup.Host.Tests;

public sealed class SignalTests
{
    [Fact]
    public async Task An_interrupt_stops_the_pipeline_and_waits_for_its_clean_up()
    {
        using ScriptFile folder = new(string.Empty);
        var mark = Path.Combine(folder.Folder, "mark");
        using var host = await StartWaitingAsync($"Wait-Probe -Mark '{mark}'; 'next'");

        await SendAsync("INT", host.Id);
        var run = await host.FinishAsync();

        Assert.Equal(130, run.ExitCode);
        Assert.True(File.Exists(mark));
        Assert.Equal(["started"], StreamTests.Lines(run.Output));
    }

    [Theory]
    [InlineData("TERM", 143)]
    [InlineData("HUP", 129)]
    public async Task A_signal_to_end_ends_what_runs_as_it_ends_any_program(string signal, int expected)
    {
        using var host = await StartWaitingAsync("Wait-Probe; 'next'");

        await SendAsync(signal, host.Id);
        var run = await host.FinishAsync();

        Assert.Equal(expected, run.ExitCode);
        Assert.Equal(["started"], StreamTests.Lines(run.Output));
    }

    [Fact]
    public async Task A_second_interrupt_leaves_the_clean_up_alone()
    {
        using ScriptFile folder = new(string.Empty);
        var mark = Path.Combine(folder.Folder, "mark");
        using var host = await StartWaitingAsync($"Wait-Probe -CleanupSeconds 1 -Mark '{mark}'");

        await SendAsync("INT", host.Id);
        await SendAsync("INT", host.Id);

        Assert.Equal(130, (await host.FinishAsync()).ExitCode);
        Assert.True(File.Exists(mark));
    }

    private static async Task<HostProcess> StartWaitingAsync(string command)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no kill to send a signal with");
        var host = HostProcess.Start("-Command", command);
        await host.WaitForAsync("started");
        return host;
    }

    private static async Task SendAsync(string signal, int id)
    {
        using var kill = Process.Start("/bin/sh", ["-c", $"kill -{signal} {id}"]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, kill.ExitCode);
    }
}
