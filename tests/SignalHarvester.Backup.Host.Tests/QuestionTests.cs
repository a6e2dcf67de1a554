namespace SignalHarvester.Backup.Host.Tests;

public sealed class QuestionTests
{
    private const string Confirm = "[Y] Yes  [A] Yes to All  [N] No  [L] No to All";

    [Theory]
    [InlineData("Remove-Probe a")]
    [InlineData("Remove-Probe")]
    [InlineData("$Host.UI.ReadLine()")]
    [InlineData("$Host.UI.ReadLineAsSecureString()")]
    public async Task Without_a_terminal_a_question_is_an_error(string command)
    {
        // Standard input stays open, so that anything that reads it would hang.
        using var host = HostProcess.Start("-Command", command);

        var run = await host.FinishAsync();

        Assert.Equal(1, run.ExitCode);
        Assert.NotEmpty(run.Error);
        Assert.Empty(run.Output);
    }

    [Fact]
    public async Task Without_a_terminal_an_answer_in_advance_is_enough()
    {
        var run = await HostProcess.RunAsync("-Command", "Remove-Probe a -Confirm:$false");

        Assert.Equal(["removed a"], StreamTests.Lines(run.Output));
        Assert.Equal(0, run.ExitCode);
    }

    [Theory]
    [InlineData("y", "removed a")]
    [InlineData("N", "kept a")]
    [InlineData("no", "kept a")]
    [InlineData("", "removed a")]
    public async Task A_confirmation_is_asked_on_the_terminal(string answer, string expected)
    {
        using var host = HostProcess.StartOnTerminal(new() { ["NO_COLOR"] = "1" }, "Remove-Probe a");
        await host.WaitForAsync("(default is \"Y\"): ");
        await host.TypeAsync(answer + "\r");

        var run = await host.FinishAsync();

        Assert.Contains("Performing the operation \"Remove-Probe\" on target \"a\".", run.Output, StringComparison.Ordinal);
        Assert.Contains(Confirm, run.Output, StringComparison.Ordinal);
        Assert.Contains(expected, run.Output, StringComparison.Ordinal);
        Assert.Equal(0, run.ExitCode);
    }

    [Theory]
    [InlineData("", 'b')]
    [InlineData("n", 'b')]
    [InlineData("y", 'S')]
    public async Task At_the_question_before_something_is_overwritten_Enter_means_No(string answer, char first)
    {
        var folder = Directory.CreateTempSubdirectory("shbackup-question-");
        try
        {
            var sample = Path.Combine(Path.GetDirectoryName(HostProcess.Executable)!, "..", "..", "..", "..", "..", "samples", "app.db");
            var target = Path.Combine(folder.FullName, "target.db");
            File.Copy(sample, Path.Combine(folder.FullName, "app.db"));
            await File.WriteAllTextAsync(target, "broken", TestContext.Current.CancellationToken);
            using var host = HostProcess.StartOnTerminal(
                new() { ["NO_COLOR"] = "1", ["SHBACKUP_MODULE_PATH"] = string.Empty },
                $"cd '{folder.FullName}'; New-SHBackup ./app.db -NoVerify | Restore-SHBackup -Destination ./target.db -NoSafetyBackup");
            await host.WaitForAsync("(default is \"N\"): ");
            await host.TypeAsync(answer + "\r");
            _ = await host.FinishAsync();

            Assert.Equal(first, (await File.ReadAllTextAsync(target, TestContext.Current.CancellationToken))[0]);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_missing_mandatory_parameter_is_asked_on_the_terminal()
    {
        using var host = HostProcess.StartOnTerminal([], "Remove-Probe -Confirm:$false");
        await host.WaitForAsync("Name: ");
        await host.TypeAsync("typed\r");

        Assert.Contains("removed typed", (await host.FinishAsync()).Output, StringComparison.Ordinal);
    }
}
