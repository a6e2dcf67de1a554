using System.Text.Json;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>New-, Get- and Test-SHBackupConfiguration.</summary>
public class ConfigurationTests
{
    private const string Bad = """
        app:
          backup:
            compresion: zstd
            retention_days: many
            s3: {enabled: true}
        """;

    [Fact]
    public void The_sample_is_written_where_the_cmdlets_find_it_and_the_file_comes_out()
    {
        using var workspace = new Workspace();
        var file = workspace.Run("New-SHBackupConfiguration").WithoutErrors().As<FileInfo>().Single();
        Assert.Equal(workspace["config", "settings.yaml"], file.FullName);
        Assert.Contains("database_path: \"var/app.db\"", File.ReadAllText(file.FullName), StringComparison.Ordinal);
        Assert.Equal(
            workspace["var", "app.db"],
            workspace.Run("(Get-SHBackupConfiguration -Key app.database_path).Value").WithoutErrors().As<string>().Single());
    }

    [Fact]
    public void What_is_written_makes_and_lists_the_first_backup_and_Full_writes_every_setting()
    {
        using var workspace = new Workspace();
        workspace.Run("New-SHBackupConfiguration | Out-Null").WithoutErrors();
        Directory.CreateDirectory(workspace["var"]);
        File.Move(workspace.Database, workspace["var", "app.db"]);
        workspace.Run("New-SHBackup; New-SHBackup").WithoutErrors();
        Assert.Equal(
            [BackupType.Full, BackupType.Incremental],
            workspace.Run("Get-SHBackup").WithoutErrors().As<BackupMetadata>().Select(backup => backup.Type).Order());
        Assert.Empty(workspace.Run("Get-SHBackupConfiguration -Key app.backup.s3.bucket | Where-Object Source -eq File").WithoutErrors().Output);
        workspace.Run("New-SHBackupConfiguration -Full -Force | Out-Null").WithoutErrors();
        Assert.Single(workspace.Run("Get-SHBackupConfiguration -Key app.backup.s3.bucket | Where-Object Source -eq File").WithoutErrors().Output);
    }

    [Fact]
    public void A_file_that_is_there_is_replaced_with_force_alone_and_nothing_is_written_with_WhatIf()
    {
        using var workspace = new Workspace();
        var file = workspace.Configure("app: {mine: 1}");
        Assert.Equal("ConfigurationExists", ((BackupException)workspace.Run("New-SHBackupConfiguration").Errors.Single().Exception).ErrorId);
        Assert.Empty(workspace.Run("New-SHBackupConfiguration -Force -WhatIf").WithoutErrors().Output);
        Assert.Equal("app: {mine: 1}", File.ReadAllText(file));
        Assert.Single(workspace.Run("New-SHBackupConfiguration -Force").WithoutErrors().Output);
        Assert.Contains("backup_dir", File.ReadAllText(file), StringComparison.Ordinal);
        Assert.Empty(workspace.Run("New-SHBackupConfiguration -Path ./new/deep/s.yaml -WhatIf").WithoutErrors().Output);
        Assert.False(Directory.Exists(workspace["new"]));
    }

    [Fact]
    public void Each_setting_says_what_it_is_and_where_it_comes_from()
    {
        using var workspace = new Workspace();
        var file = workspace.Configure("app:\n  database_path: app.db\n  backup:\n    compression: Gzip\n");
        var settings = workspace.Run("Get-SHBackupConfiguration").WithoutErrors().As<ConfigurationSetting>().ToDictionary(setting => setting.Key);
        Assert.Equal(
            new ConfigurationSetting
            {
                Key = "app.database_path",
                Value = workspace.Database,
                Source = ConfigurationSource.File,
                Line = 2,
                EnvironmentVariable = "SHBACKUP_DATABASE_PATH",
                Path = file,
            },
            settings["app.database_path"]);
        Assert.Equal(
            ("gzip", ConfigurationSource.File, 4),
            (settings["app.backup.compression"].Value, settings["app.backup.compression"].Source, settings["app.backup.compression"].Line));
        Assert.Equal(
            ("90", ConfigurationSource.Default, null),
            (settings["app.backup.retention_days"].Value, settings["app.backup.retention_days"].Source, settings["app.backup.retention_days"].Line));
        Assert.Equal(11, workspace.Run("Get-SHBackupConfiguration ./config/settings.yaml -Key *.Schedule.*").WithoutErrors().Output.Count);
    }

    [Fact]
    public void Without_a_file_the_defaults_are_shown()
    {
        using var workspace = new Workspace();
        var settings = workspace.Run("Get-SHBackupConfiguration").WithoutErrors().As<ConfigurationSetting>();
        Assert.All(settings, setting => Assert.Null(setting.Path));
        Assert.Contains(settings, setting => setting is { Key: "app.backup.schedule.daily_time", Value: "02:00" });
        Assert.Contains(settings, setting => setting is { Key: "app.backup.compression", Value: "zstd" });
    }

    [Fact]
    public void The_table_fits_the_screen()
    {
        using var workspace = new Workspace();
        workspace.Run("$null = New-SHBackupConfiguration -Full").WithoutErrors();
        var lines = workspace.Session.Render("Get-SHBackupConfiguration -Key app.backup.*").Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        Assert.Matches("^Key +Source +Line Value *$", lines[0]);
        Assert.Contains(lines, line => System.Text.RegularExpressions.Regex.IsMatch(line, @"^app\.backup\.schedule\.daily_time +File +\d+ 02:00 *$"));
        Assert.All(lines[2..], line => Assert.DoesNotContain('\u2026', line.Split(' ')[0]));
        Assert.All(lines, line => Assert.True(line.Length <= 120, line));
    }

    [Fact]
    public void All_problems_come_out_as_objects_and_one_error_tells_a_script()
    {
        using var workspace = new Workspace();
        var file = workspace.Configure(Bad);
        var result = workspace.Run("Test-SHBackupConfiguration");
        var problems = result.As<ConfigurationProblem>();
        Assert.Equal(
            [
                (3, 5, "app.backup.compresion", "compresion", "compression"),
                (4, 21, "app.backup.retention_days", "many", "a whole number from 0 to 2147483647"), (5, 9, "app.backup.s3.bucket", null, "a value"),
            ],
            problems.Select(problem => (problem.Line!.Value, problem.Column!.Value, problem.Key!, problem.Found, problem.Allowed!)));
        Assert.All(problems, problem => Assert.Equal((file, ConfigurationSeverity.Error), (problem.Path, problem.Severity)));
        Assert.Equal(
            "ConfigurationInvalid,SignalHarvester.Backup.PowerShell.Commands.TestSHBackupConfigurationCommand",
            Assert.Single(result.Errors).FullyQualifiedErrorId);
        Assert.Null(result.Failure);
        var shown = workspace.Session.Render("Test-SHBackupConfiguration -ErrorAction Ignore");
        Assert.Matches(@"Error +3 +5 app\.backup\.compresion +there is no such key", shown);
    }

    [Fact]
    public void Quiet_gives_a_truth_value_and_no_error()
    {
        using var workspace = new Workspace();
        Assert.Equal<object>(
            [false, false],
            workspace.Run("Test-SHBackupConfiguration -Quiet; Test-SHBackupConfiguration ./missing.yaml -Quiet").WithoutErrors().Output
                .Select(item => item.BaseObject));
        workspace.Configure(Bad);
        Assert.False(workspace.Run("Test-SHBackupConfiguration -Quiet").WithoutErrors().As<bool>().Single());
        workspace.Configure("app: {database_path: missing.db}");
        Assert.True(workspace.Run("Test-SHBackupConfiguration -Quiet").WithoutErrors().As<bool>().Single());
    }

    [Fact]
    public void Paths_that_are_not_there_are_warnings()
    {
        using var workspace = new Workspace();
        workspace.Configure("app: {database_path: missing.db}");
        var problem = workspace.Run("Test-SHBackupConfiguration").WithoutErrors().As<ConfigurationProblem>().Single();
        Assert.Equal((ConfigurationSeverity.Warning, "app.database_path", 1), (problem.Severity, problem.Key, problem.Line));
        Assert.Contains(workspace["missing.db"], problem.Message, StringComparison.Ordinal);
        workspace.Configure("app: {database_path: app.db}");
        Assert.Empty(workspace.Run("Test-SHBackupConfiguration").WithoutErrors().Output);
        Assert.Single(workspace.Run("Test-SHBackupConfiguration -Verbose").WithoutErrors().Verbose);
    }

    [Fact]
    public void Settings_and_problems_are_the_same_after_a_job_and_in_JSON()
    {
        using var workspace = new Workspace();
        workspace.Configure(Bad);
        var problems = workspace.Run("Test-SHBackupConfiguration -ErrorAction Ignore").As<ConfigurationProblem>();
        workspace.Configure("app: {database_path: app.db}");
        var settings = workspace.Run("Get-SHBackupConfiguration").WithoutErrors().As<ConfigurationSetting>();
        const string there =
            "$input | ForEach-Object { [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($_)) }";
        Assert.Equal(problems, workspace.Session.Invoke(there, [.. problems]).WithoutErrors().As<ConfigurationProblem>());
        Assert.Equal(settings, workspace.Session.Invoke(there, [.. settings]).WithoutErrors().As<ConfigurationSetting>());
        Assert.Equal(settings, JsonSerializer.Deserialize<ConfigurationSetting[]>(JsonSerializer.Serialize(settings))!);
        Assert.Equal(problems, JsonSerializer.Deserialize<ConfigurationProblem[]>(JsonSerializer.Serialize(problems))!);
    }

    [Theory]
    [InlineData("Get-SHBackup")]
    [InlineData("Get-SHBackup -BackupDirectory ./backups -Newest 1")]
    [InlineData("New-SHBackup ./app.db -BackupDirectory ./backups -Compression Zstd -NoVerify")]
    [InlineData("Test-SHBackup *")]
    [InlineData("Restore-SHBackup * ./new.db -Force")]
    [InlineData("Remove-SHBackup * -Force")]
    [InlineData("Merge-SHBackup *")]
    [InlineData("Invoke-SHBackupRetention -KeepLast 1")]
    [InlineData("Send-SHBackup * -Provider Directory -Container ./offsite -CreateContainer")]
    [InlineData("Receive-SHBackup * -Provider Directory -Container ./offsite")]
    [InlineData("Get-SHBackupConfiguration")]
    public void A_configuration_with_errors_stops_every_cmdlet_whatever_it_was_given(string script)
    {
        using var workspace = new Workspace();
        workspace.AddBackup(TimeSpan.FromDays(1));
        workspace.Configure(Bad);
        var before = workspace.BackupFiles;
        var result = workspace.Run(script);
        Assert.Empty(result.Output);
        var error = (BackupException)Assert.Single(result.Errors).Exception;
        Assert.Equal("ConfigurationInvalid", error.ErrorId);
        Assert.All(
            (string[])["app.backup.compresion", "found 'many'", "app.backup.s3.bucket"],
            part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
        Assert.Equal(before, workspace.BackupFiles);
        Assert.False(File.Exists(workspace["new.db"]));
    }

    [Fact]
    public void What_may_be_a_mistake_is_a_warning_of_every_cmdlet()
    {
        using var workspace = new Workspace();
        workspace.Configure("app: {bakcup: {}}");
        Assert.Contains("mistyped", Assert.Single(workspace.Run("Get-SHBackup").WithoutErrors().Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_environment_names_the_file_and_overrides_it()
    {
        using var folder = new TempFolder();
        Databases.Create(folder["app.db"]);
        Directory.CreateDirectory(folder["config"]);
        await File.WriteAllTextAsync(folder["config", "settings.yaml"], "app: {backup: {backup_dir: unused}}", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            folder["other.yaml"], "app: {database_path: app.db, backup: {backup_dir: theirs, compression: gzip}}", TestContext.Current.CancellationToken);
        var output = await HostRun.SucceedAsync(
            folder.Path,
            "$b = New-SHBackup -NoVerify; $b.BackupDirectory; $b.Compression; $c = New-SHBackup -NoVerify -Compression Zstd -ConfigurationPath config/settings.yaml -DatabasePath app.db; $c.BackupDirectory; $c.Compression; (Get-SHBackupConfiguration -Key app.backup.compression).Source",
            ("SHBACKUP_CONFIG", "other.yaml"),
            ("SHBACKUP_COMPRESSION", "none"));
        Assert.Equal([folder["theirs"], "None", folder["unused"], "Zstd", "Environment"], output);
    }
}
