using System.Management.Automation;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>A restore with an unusable configuration, whatever is wrong with it.</summary>
public class NoConfigurationTests
{
    private const string RestoresUse =
        "Get-SHBackup, Find-SHBackup, Test-SHBackup, Receive-SHBackup, Restore-SHBackup, Compare-SHBackup, Get-SHBackupHistory, Get-SHBackupTransaction, "
        + "Invoke-SHBackupQuery, Invoke-SHRestoreDrill";

    /// <summary>The possible faults of a file, by the id of their error.</summary>
    public static TheoryData<string, string> Faults => new()
    {
        { "ConfigurationInvalid", "not YAML" },
        { "ConfigurationInvalid", "unknown key" },
        { "ConfigurationInvalid", "wrong type" },
        { "ConfigurationInvalid", "missing variable" },
        { "ConfigurationInvalid", "not UTF-8" },
        { "ConfigurationInvalid", "huge" },
        { "ConfigurationNotFound", "folder" },
        { "ConfigurationNotFound", "link to nothing" },
        { "ReadFailed", "not readable" },
        { "ReadFailed", "link to itself" },
    };

    /// <summary>Each command of a restore as people first try it, without the switch.</summary>
    private static string[] Commands(string id) =>
    [
        "Get-SHBackup", "Get-SHBackup -Remote -Provider Directory -Container ./offsite", $"Test-SHBackup {id}", $"Test-SHBackup {id} -Level Quick -Quiet",
        $"Receive-SHBackup {id} -Provider Directory -Container ./offsite -BackupDirectory ./received", "Compare-SHBackup -Database ./app.db -Id " + id,
        "Get-SHBackupHistory", "Invoke-SHBackupQuery 'SELECT 1' -Id " + id, "Find-SHBackup 'SELECT 1'", "Invoke-SHRestoreDrill -Newest",
        $"Restore-SHBackup {id} -Destination ./restored.db -Force",
        $"Restore-SHBackup {id} -Remote -Provider Directory -Container ./offsite -Destination ./fetched.db -Force",
    ];

    [Theory]
    [MemberData(nameof(Faults))]
    public void With_a_file_that_cannot_be_used_the_step_that_the_error_names_restores(string errorId, string fault)
    {
        using var workspace = new Workspace();
        var id = workspace.MakeBackup().Id;
        workspace.Run("Get-SHBackup | Send-SHBackup -Provider Directory -Container ./offsite -CreateContainer").WithoutErrors();
        Break(workspace, fault);

        foreach (var command in Commands(id))
        {
            var refused = Assert.IsType<BackupException>(Assert.Single(workspace.Run(command).Errors).Exception);
            Assert.Equal(errorId, refused.ErrorId);
            Assert.Contains("add -NoConfiguration to each of its commands", refused.Message, StringComparison.Ordinal);
            Assert.Contains(
                command.Split(' ')[0] is "Invoke-SHRestoreDrill" or "Get-SHBackupHistory" ? command.Split(' ')[0] : command.Split('-')[0] + "-",
                refused.Message, StringComparison.Ordinal);
        }

        Assert.False(File.Exists(workspace["restored.db"]));
        foreach (var command in Commands(id))
        {
            workspace.Run(command + " -NoConfiguration").WithoutErrors();
        }

        Assert.Equal(ImageHash.Of(workspace.Database), ImageHash.Of(workspace["restored.db"]));
        Assert.Equal(ImageHash.Of(workspace.Database), ImageHash.Of(workspace["fetched.db"]));
        Assert.Equal(id, workspace.Run("Get-SHBackup -NoConfiguration -Newest 1 | Restore-SHBackup -NoConfiguration -Destination ./again.db -Force")
            .WithoutErrors().As<BackupMetadata>().Single().Id);
    }

    [Fact]
    public async Task With_a_wrong_variable_too()
    {
        using var folder = new TempFolder();
        Databases.Create(folder["app.db"]);
        await HostRun.SucceedAsync(folder.Path, "New-SHBackup ./app.db");
        (string, string)[] wrong =
        [
            ("SHBACKUP_METRICS_PORT", "many"), ("SHBACKUP_CONFIG", "missing.yaml"), ("SHBACKUP_BACKUP_DIR", "elsewhere"),
            ("SHBACKUP_ENCRYPTION_RECIPIENTS", "nobody"),
        ];

        var output = await HostRun.SucceedAsync(
            folder.Path,
            "try { Get-SHBackup } catch { $_.Exception.ErrorId }; Get-SHBackup -NoConfiguration -Newest 1 | Restore-SHBackup -NoConfiguration -Destination ./app.db -Force | ForEach-Object { 'restored' }; @(Get-SHBackup -NoConfiguration).Count",
            wrong);

        // With the safety backup unencrypted, in the default place.
        Assert.Equal(["ConfigurationNotFound", "restored", "2"], output);
    }

    [Fact]
    public void Only_the_commands_of_a_restore_go_without_the_configuration_so_that_nothing_is_made_sent_or_pruned_by_other_rules()
    {
        using var workspace = new Workspace();

        var with = workspace.Run(
            "(Get-Command -Module SignalHarvester.Backup -CommandType Cmdlet | Where-Object { $_.Parameters.ContainsKey('NoConfiguration') }).Name")
            .WithoutErrors().As<string>();

        Assert.Equal(RestoresUse.Split(", ").Order(StringComparer.Ordinal), with.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_configuration_that_is_left_out_has_no_say_at_all()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        workspace.Configure("app: {database_path: elsewhere.db, backup: {backup_dir: elsewhere, retention_day: 3}}");

        Assert.Single(workspace.Run("Get-SHBackup -NoConfiguration").WithoutErrors().Output);

        // It would go to the configured database; without one the destination must be given.
        var error = Assert.Single(workspace.Run("Get-SHBackup -NoConfiguration | Restore-SHBackup -NoConfiguration -Force").Errors);
        Assert.Equal("DestinationRequired", ((BackupException)error.Exception).ErrorId);
        var both = Assert.Single(workspace.Run("Get-SHBackup -NoConfiguration -ConfigurationPath ./config/settings.yaml").Errors);
        Assert.Equal(("InvalidArgument", ErrorCategory.InvalidArgument), (((BackupException)both.Exception).ErrorId, both.CategoryInfo.Category));
    }

    [Theory]
    [InlineData("folder")]
    [InlineData("link to nothing")]
    [InlineData("not readable")]
    [InlineData("not YAML")]
    public void What_makes_or_prunes_backups_does_nothing_by_defaults_where_a_configuration_was_meant_to_be(string fault)
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        Break(workspace, fault);
        var before = workspace.BackupFiles;

        foreach (var command in (string[])["New-SHBackup ./app.db", "Invoke-SHBackupRetention -Confirm:$false",
            "Get-SHBackup -NoConfiguration | Remove-SHBackup -Force",
            "Get-SHBackup -NoConfiguration | Send-SHBackup -Provider Directory -Container ./offsite -CreateContainer", "Invoke-SHBackupScrub"])
        {
            Assert.NotEmpty(workspace.Run(command).Errors);
        }

        Assert.Equal(before, workspace.BackupFiles);
    }

    [Fact]
    public async Task Variables_that_Kubernetes_or_Docker_set_for_a_service_are_told_with_Verbose_and_are_no_settings()
    {
        using var folder = new TempFolder();
        Databases.Create(folder["app.db"]);
        (string, string)[] variables =
        [
            .. Service("METRICS", "10.96.0.7", 9187, "TCP", "HTTP"), .. Service("ENCRYPTION", "fd00::1", 443, "SCTP", "HTTPS_ALT"),
            .. Service("S3", "10.96.0.9", 53, "UDP", "DNS"),
            ("SHBACKUP_PORT", "tcp://10.96.0.1:80"), ("SHBACKUP_SERVICE_HOST", "10.96.0.1"), ("SHBACKUP_METRICS_PORT_9187_TCP_START", "x"),
        ];

        var output = await HostRun.SucceedAsync(
            folder.Path,
            "$warned = $null; (New-SHBackup ./app.db -WarningVariable warned 3>$null).Verified; \"$warned\"; $told = @(Get-SHBackup -Verbose 4>&1 | Where-Object { \"$_\" -like '*variables*' }); $told.Count; \"$told\"; (Get-SHBackupConfiguration -Key app.backup.metrics.port).Source; Test-SHBackupConfiguration -Quiet",
            [.. variables, ("SHBACKUP_COMPRESSION", "gzip")]);

        Assert.Equal(["True", "1"], output[..2]);
        Assert.All(variables[..^1], variable => Assert.Contains(variable.Item1, output[2], StringComparison.Ordinal));
        Assert.DoesNotContain("SHBACKUP_COMPRESSION", output[2], StringComparison.Ordinal);
        Assert.Equal(["Default", "True"], output[3..]);

        static (string, string)[] Service(string name, string host, int port, string protocol, string portName)
        {
            var (beginning, url) = ($"SHBACKUP_{name}_",
                $"{protocol.ToLowerInvariant()}://{(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host)}:{port}");
            var one = $"{beginning}PORT_{port}_{protocol}";
            return
            [
                (beginning + "SERVICE_HOST", host), (beginning + "SERVICE_PORT", $"{port}"), (beginning + "SERVICE_PORT_" + portName, $"{port}"),
                (beginning + "PORT", url),
                (one, url), (one + "_PROTO", protocol.ToLowerInvariant()), (one + "_PORT", $"{port}"), (one + "_ADDR", host),
            ];
        }
    }

    private static void Break(Workspace workspace, string fault)
    {
        var file = workspace.Configure("app: {backup: {backup_dir: elsewhere}}");
        switch (fault)
        {
            case "not YAML":
                workspace.Configure("app: [");
                break;
            case "unknown key":
                workspace.Configure("app: {backup: {backup_directory: elsewhere}}");
                break;
            case "wrong type":
                workspace.Configure("app: {backup: {retention: [1], s3: yes, retention_days: many}}");
                break;
            case "missing variable":
                workspace.Configure("app: {backup: {backup_dir: \"${SHB_TEST_NOT_SET}\"}}");
                break;
            case "not UTF-8":
                File.WriteAllBytes(file, [0xff, 0xfe, 0x61, 0x00]);
                break;
            case "huge":
                File.WriteAllText(file, new string('#', 5 << 20));
                break;
            case "folder":
                File.Delete(file);
                Directory.CreateDirectory(file);
                break;
            case "not readable":
                Assert.SkipWhen(OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess, "an administrator reads everything");
#pragma warning disable CA1416 // On Windows, which has no modes, the test is skipped above.
                File.SetUnixFileMode(Path.GetDirectoryName(file)!, UnixFileMode.None);
#pragma warning restore CA1416
                break;
            default:
                Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a right there");
                File.Delete(file);
                File.CreateSymbolicLink(file, fault == "link to itself" ? file : workspace["nothing.yaml"]);
                break;
        }
    }
}
