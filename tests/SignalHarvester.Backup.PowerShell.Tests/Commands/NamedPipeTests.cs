using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>Small files that a person names may be pipes. None makes a command wait for ever, and an intended one is read.</summary>
public sealed class NamedPipeTests
{
    private static readonly string[] Places =
    [
        "Get-SHBackup -ConfigurationPath ./named",
        "Get-SHBackupConfiguration ./named",
        "Get-SHBackup | Test-SHBackup -IdentityFile ./named",
        "$env:SHBACKUP_CONFIG = './named'; Get-SHBackup",
        "$env:GOOGLE_APPLICATION_CREDENTIALS = './named'; Get-SHBackup -Remote -Provider Gcs -Container nobodys",
    ];

    public static TheoryData<string> AllPlaces => new(Places);

    [Theory]
    [MemberData(nameof(AllPlaces))]
    public async Task A_pipe_that_nobody_writes_to_is_an_error_that_says_so(string command)
    {
        using var folder = new TempFolder();
        Tool.Require("mkfifo").Run(folder["named"]).EnsureSuccess();

        var answer = await HostRun.SucceedAsync(folder.Path, "try { $ErrorActionPreference = 'Stop'; " + command
            + "; 'no error' } catch { $_.FullyQualifiedErrorId; $_.Exception.Message; for ($inner = $_.Exception.InnerException; $inner; $inner = $inner.InnerException) { $inner.Message } }");

        Assert.Contains(answer[0].Split(',')[0], (string[])["ReadFailed", "IdentityInvalid", "CloudCredentialsMissing"]);
        Assert.Contains(answer, line => line.Contains("is a pipe, and nobody wrote to it", StringComparison.Ordinal));
        Assert.DoesNotContain(answer, line => line.Contains("Check its permissions", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Get-SHBackup -ConfigurationPath ./named")]
    [InlineData("Get-SHBackupConfiguration ./named")]
    [InlineData("Get-SHBackup | Test-SHBackup -IdentityFile ./named")]
    public async Task A_stop_ends_the_wait_for_a_writer_that_is_silent(string command)
    {
        using var workspace = new Workspace();
        Tool.Require("mkfifo").Run(workspace["named"]).EnsureSuccess();

        using var running = workspace.Session.Begin(command);
        // Opening for writing ends when somebody reads.
        using var silent = await Task.Run(
            () => File.OpenHandle(workspace["named"], FileMode.Open, FileAccess.Write, FileShare.ReadWrite), TestContext.Current.CancellationToken);
        await running.StopAsync();
    }

    [Fact]
    public async Task A_pipe_that_is_meant_is_read_to_its_end_however_slowly_it_is_written()
    {
        using var workspace = new Workspace();
        workspace.Run("New-SHBackupKey ./key").WithoutErrors();
        var key = await File.ReadAllTextAsync(workspace["key"], TestContext.Current.CancellationToken);
        workspace.Run("New-SHBackup ./app.db -Recipient (New-SHBackupKey ./other) -Type Full").WithoutErrors();
        var recipient = key.Split('\n').Single(line => line.Contains("age1", StringComparison.Ordinal)).Split(' ')[^1].Trim();
        workspace.Run("New-SHBackup ./app.db -Recipient $args[0] -Type Full", recipient).WithoutErrors();
        Tool.Require("mkfifo").Run(workspace["named"]).EnsureSuccess();

        var writing = Task.Run(
            () =>
            {
                using var pipe = new FileStream(workspace["named"], FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
                foreach (var letter in key)
                {
                    pipe.WriteByte((byte)letter);
                }
            },
            TestContext.Current.CancellationToken);
        var tested = workspace.Run("Get-SHBackup -Newest 1 | Test-SHBackup -IdentityFile ./named").WithoutErrors();
        await writing;

        Assert.True(Assert.Single(tested.As<BackupMetadata>()).Verified);
    }

    [Fact]
    public void What_a_shell_puts_in_the_place_of_a_program_is_read()
    {
        using var folder = new TempFolder();
        var bash = Tool.Require("bash");
        const string script =
            """cd "$1" && "$2" -Command "(Get-SHBackupConfiguration -ConfigurationPath '"<(sleep 0.1; echo 'app: { backup: { compression: gzip } }')"' -Key app.backup.compression).Value" """;
        var run = bash.Run("-c", script, "bash", folder.Path, BuiltModule.Host);
        Assert.Equal("gzip", run.EnsureSuccess().Output.Trim(), ignoreCase: true);
    }

    [Theory]
    [InlineData("Get-SHBackup -ConfigurationPath /dev/zero", "ConfigurationInvalid", "more than 4 MiB")]
    [InlineData("Get-SHBackup | Test-SHBackup -IdentityFile /dev/zero", "IdentityInvalid", "too large for a")]
    public void What_has_no_end_is_too_large(string command, string id, string said)
    {
        Assert.SkipUnless(File.Exists("/dev/zero"), "there is no such device");
        using var workspace = new Workspace();

        var error = Assert.Single(workspace.Run(command).Errors);

        Assert.StartsWith(id, error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Contains(said, error.Exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tab_takes_nothing_out_of_a_pipe()
    {
        using var workspace = new Workspace();
        Tool.Require("mkfifo").Run(workspace["named"]).EnsureSuccess();

        // Both ends, so that written bytes stay in it until they are read.
        using var pipe = new FileStream(workspace["named"], FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        pipe.Write("app: {}"u8);
        _ = workspace.Session.Complete("Get-SHBackup -ConfigurationPath ./named -Id backup_");
        _ = workspace.Session.Complete("Get-SHBackupConfiguration -ConfigurationPath ./named -Key app.");

        var text = new byte[100];
        Assert.Equal("app: {}", System.Text.Encoding.UTF8.GetString(text, 0, pipe.Read(text)));
    }
}
