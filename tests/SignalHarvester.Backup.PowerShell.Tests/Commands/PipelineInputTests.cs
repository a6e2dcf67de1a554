using System.Management.Automation;
using SignalHarvester.Backup.PowerShell.Tests.Support;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>
/// Pipeline input names exactly what it says, or is an error: rows of a CSV or JSON file, objects from a job or Clixml, empty and
/// wrong ones. None of it is ignored, and none of it becomes a wildcard.
/// </summary>
public class PipelineInputTests
{
    // This engine has no Import-Csv, so this makes an object whose properties are all texts, the missing ones empty.
    private const string AsRow =
        "ForEach-Object { $row = [pscustomobject]@{}; foreach ($p in $_.PSObject.Properties) { $row.PSObject.Properties.Add([psnoteproperty]::new($p.Name, \"$($p.Value)\")) }; $row }";
    private const string ThroughAJob =
        "ForEach-Object { [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($_)) }";
    private const string AsSelected = "ForEach-Object { [pscustomobject]@{ Id = $_.Id; BackupDirectory = $_.BackupDirectory; Location = $_.Location } }";
    private const string There = "-Provider Directory -Container ./offsite";

    public static TheoryData<string> TakingBackups =>
    [
        "Remove-SHBackup -WhatIf", "Remove-SHBackup -Force", "Test-SHBackup", "Test-SHBackup -Level Quick -Quiet",
        "Restore-SHBackup -Destination ./new.db -Force",
        "Restore-SHBackup -Destination ./new.db -WhatIf", "Restore-SHBackup -Table customer -Into ./app.db -Force", "Invoke-SHRestoreDrill", "Merge-SHBackup",
        "Merge-SHBackup -WhatIf", "Invoke-SHBackupQuery 'SELECT 1'", "Find-SHBackup 'SELECT 1'", "Find-SHBackup 'SELECT 1' -Bisect",
        "Compare-SHBackup -IncludeEqual", "Get-SHBackup", $"Send-SHBackup {There} -CreateContainer", $"Send-SHBackup {There} -WhatIf",
        $"Receive-SHBackup {There} -WhatIf", "Protect-SHBackup -Recipient age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p -WhatIf",
    ];

    [Fact]
    public void Every_cmdlet_that_takes_backups_or_schedules_is_among_these_tests()
    {
        using var workspace = new Workspace();
        var taking = workspace.Run("Get-Command -Module SignalHarvester.Backup -CommandType Cmdlet").WithoutErrors().As<CmdletInfo>()
            .Where(cmdlet => cmdlet.ParameterSets.Any(set => set.Parameters.Any(parameter => parameter.ValueFromPipeline)))
            .Select(cmdlet => cmdlet.Name);
        Assert.Equal(
            TakingBackups.Select(row => row.Data.Split(' ')[0])
                .Concat(["Get-SHBackupSchedule", "Invoke-SHBackupSchedule", "Unregister-SHBackupSchedule", "New-SHBackup"])
                .Concat(["Start-SHBackupProtection", "Test-SHBackupStore", "Update-SHBackupSchedule"]).Distinct().Order(),
            taking.Order());
    }

    [Theory]
    [MemberData(nameof(TakingBackups))]
    public void Rows_of_a_file_and_what_a_job_gave_back_name_their_backup_alone(string command)
    {
        foreach (var form in (string[])[AsRow, AsSelected, ThroughAJob])
        {
            using var workspace = new Workspace();
            var made = workspace.MakeBackup();
            workspace.AddBackup(TimeSpan.FromDays(1));
            if (command.StartsWith("Receive", StringComparison.Ordinal))
            {
                workspace.Run($"Get-SHBackup | Send-SHBackup {There} -CreateContainer").WithoutErrors();
            }

            var result = workspace.Run($"Get-SHBackup {made.Id} | {form} | {command}").WithoutErrors();
            var named = result.Output.Select(item => item.BaseObject switch
            {
                BackupMetadata backup => backup.Id,
                RestoreDrill drill => drill.BackupId,
                RestoredRows rows => rows.BackupId,
                _ => made.Id,
            });
            Assert.Equal(command.Contains("-WhatIf", StringComparison.Ordinal) ? [] : [made.Id], named.Distinct());
            if (command.Contains("-WhatIf", StringComparison.Ordinal))
            {
                Assert.Single(workspace.Session.Host.Shown.Split("What if:", StringSplitOptions.RemoveEmptyEntries));
                Assert.Contains(made.Id, workspace.Session.Host.Shown, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [MemberData(nameof(TakingBackups))]
    public void What_names_no_backup_is_an_error_and_never_a_wildcard(string command)
    {
        using var workspace = new Workspace();
        workspace.AddBackup(TimeSpan.FromDays(1));
        workspace.AddBackup(TimeSpan.FromDays(2));
        workspace.Run($"Get-SHBackup | Send-SHBackup {There} -CreateContainer").WithoutErrors();
        foreach (var input in (string[])
            [
                "[pscustomobject]@{ Foo = 1 }",
                "[pscustomobject]@{ Foo = '[a-z]*' }",
                "[pscustomobject]@{ Foo = [object[]]@(1, 2) }",
                "[pscustomobject]@{ Id = '*' }",
                "[pscustomobject]@{ Id = 'backup_2*'; BackupDirectory = './backups' }",
                "[pscustomobject]@{ Id = '@{Id=*}' }",
                "[pscustomobject]@{ Id = '' }",
                "[pscustomobject]@{ Id = ''; BackupDirectory = './backups' }",
                "[pscustomobject]@{ Id = $null; BackupDirectory = './backups'; BackupPath = 'x' }",
                "[pscustomobject]@{ Id = 5 }",
                "[pscustomobject]@{ Id = @{ a = 1 } }",
                "@{ Id = '*' }",
                "'*'",
                "'nonsense'",
                "''",
                "$null",
                "5",
                "(Get-SHBackupHealth)[0].Checks[0]",
            ])
        {
            var result = workspace.Run($"{input} | {command}");
            Assert.True(result.Errors.Count == 1, $"{input}: {string.Join("; ", result.Errors)}");
            Assert.Empty(result.Output);
        }

        Assert.DoesNotContain("What if", workspace.Session.Host.Shown, StringComparison.Ordinal);
        Assert.Equal(2, workspace.Listed().Count);
        Assert.False(File.Exists(workspace["new.db"]));
    }

    [Fact]
    public void What_a_script_block_makes_of_a_row_is_no_wildcard_either()
    {
        using var workspace = new Workspace();
        var id = workspace.AddBackup(TimeSpan.FromDays(1));
        var result = workspace.Run("[pscustomobject]@{ Name = '*' } | Remove-SHBackup -Id { $_.Name } -Force");
        Assert.StartsWith("InvalidArgument,", Assert.Single(result.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal([id], Workspace.Ids(workspace.Run($"[pscustomobject]@{{ Name = '{id}' }} | Remove-SHBackup -Id {{ $_.Name }} -Force").WithoutErrors()));
    }

    [Theory]
    [InlineData("nothing*")]
    [InlineData("@{Id=*}")]
    [InlineData("*.db")]
    [InlineData("backup_[9-0]*")]
    [InlineData("backup_[]")]
    [InlineData("backup_[")]
    public void A_text_that_is_no_pattern_of_an_id_is_an_error_of_each_cmdlet(string text)
    {
        using var workspace = new Workspace();
        var id = workspace.AddBackup(TimeSpan.FromDays(1));
        foreach (var command in (string[])["Get-SHBackup -Id", "Remove-SHBackup -WhatIf -Id", "Test-SHBackup -Id", "Invoke-SHRestoreDrill -Id",
            "Restore-SHBackup -Destination ./new.db -Force -Id"])
        {
            var error = Assert.Single(workspace.Run($"{command} '{text}'").Errors);
            Assert.StartsWith("InvalidArgument,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
            Assert.Equal(text, error.TargetObject);
        }

        Assert.Equal([id], Workspace.Ids(workspace.Run($"Get-SHBackup '{text}', {id}")));
        Assert.Equal([id], Workspace.Ids(workspace.Run("Get-SHBackup 'BACKUP_[12]*_??????_*'").WithoutErrors()));
    }

    [Theory]
    [InlineData("[pscustomobject]@{ Id = '<id>'; BackupDirectory = './backups'; BackupPath = 'x' }")]
    [InlineData("@{ Id = '<id>'; BackupDirectory = './backups'; BackupPath = 'x' }")]
    public void A_backup_is_not_made_up_of_a_row(string row)
    {
        using var workspace = new Workspace();
        var id = workspace.AddBackup(TimeSpan.FromDays(1));
        var result = workspace.Run($"Restore-SHBackup -InputObject ({row.Replace("<id>", id, StringComparison.Ordinal)}) -Destination ./new.db -Force");
        Assert.Contains("BackupMetadata", Assert.Single(result.Errors).Exception.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(workspace["new.db"]));
    }

    [Fact]
    public void A_row_of_a_store_never_stands_for_the_backup_here()
    {
        using var workspace = new Workspace();
        workspace.AddBackup(TimeSpan.FromDays(1));
        workspace.Run($"Get-SHBackup | Send-SHBackup {There} -CreateContainer").WithoutErrors();
        foreach (var row in (string[])[AsRow, "ForEach-Object { [pscustomobject]@{ Id = $_.Id; Location = \"$($_.Location)\" } }"])
        {
            var error = Assert.Single(workspace.Run($"Get-SHBackup -Remote {There} | {row} | Remove-SHBackup -Force").Errors);
            Assert.Contains("object store", error.Exception.Message, StringComparison.Ordinal);
        }

        Assert.Single(workspace.Listed());
        foreach (var form in (string[])[AsSelected, ThroughAJob])
        {
            workspace.Run($"Get-SHBackup -Remote {There} | {form} | Remove-SHBackup -Force").WithoutErrors();
            Assert.Single(workspace.Listed());
            Assert.Empty(workspace.Run($"Get-SHBackup -Remote {There}").WithoutErrors().Output);
            workspace.Run($"Get-SHBackup | Send-SHBackup {There}").WithoutErrors();
        }
    }

    [Theory]
    [InlineData("Unregister-SHBackupSchedule -Force")]
    [InlineData("Unregister-SHBackupSchedule -WhatIf")]
    [InlineData("Invoke-SHBackupSchedule -WhatIf")]
    [InlineData("Get-SHBackupSchedule")]
    public void What_names_no_schedule_is_an_error_and_never_a_wildcard(string command)
    {
        using var workspace = new Workspace();
        foreach (var input in (string[])
            [
                "[pscustomobject]@{ Foo = '[a-z]*' }", "[pscustomobject]@{ Name = 'no such [a-z]*'; Scope = '' }",
                "[pscustomobject]@{ Name = '*'; Scope = 'User' }",
                "[pscustomobject]@{ Name = 'x'; Scope = 'nobody' }", "@{ Name = '*' }", "[pscustomobject]@{ Name = '' }", "''", "$null", "'*'",
            ])
        {
            var result = workspace.Run($"{input} | {command}");
            Assert.True(result.Errors.Count == 1, $"{input}: {string.Join("; ", result.Errors)}");
            Assert.Empty(result.Output);
        }

        Assert.DoesNotContain("What if", workspace.Session.Host.Shown, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Get-SHBackupHealth")]
    [InlineData("Get-SHBackupHistory")]
    [InlineData("Invoke-SHBackupRetention -WhatIf")]
    [InlineData("Invoke-SHBackupScrub")]
    [InlineData("Invoke-SHRestoreDrill -Newest")]
    [InlineData("Restore-SHBackup -PointInTime 2100-01-01 -Destination ./new.db -Force")]
    [InlineData("Export-SHBackupMetric")]
    [InlineData("Register-SHBackupSchedule x -Daily -DatabasePath ./app.db -AsText")]
    [InlineData("Start-SHBackupMetricServer -WhatIf")]
    [InlineData("Invoke-SHBackupRetention -Remote -Provider Directory -Container ./offsite -WhatIf")]
    [InlineData("Get-SHBackupConfiguration")]
    [InlineData("Test-SHBackupConfiguration")]
    [InlineData("New-SHBackupConfiguration -WhatIf")]
    public void What_names_no_directory_and_no_file_is_an_error(string command)
    {
        using var workspace = new Workspace();
        workspace.AddBackup(TimeSpan.FromDays(1));
        foreach (var input in (string[])["[pscustomobject]@{ Foo = '*' }", "'*'", "[pscustomobject]@{ BackupDirectory = ''; ConfigurationPath = '' }",
            "[pscustomobject]@{ BackupDirectory = $null; ConfigurationPath = $null }"])
        {
            var result = workspace.Run($"{input} | {command}");
            Assert.True(result.Errors.Count == 1, $"{input}: {string.Join("; ", result.Errors)}");
            Assert.Empty(result.Output);
        }

        Assert.DoesNotContain("What if", workspace.Session.Host.Shown, StringComparison.Ordinal);
        Assert.False(File.Exists(workspace["new.db"]));
    }

    [Fact]
    public void Every_directory_that_a_pipeline_names_is_looked_at()
    {
        using var workspace = new Workspace();
        workspace.AddBackup(TimeSpan.FromDays(1));
        workspace.Run("New-SHBackup ./app.db -BackupDirectory ./second").WithoutErrors();
        const string both = "@('./backups', './second') | ForEach-Object { [pscustomobject]@{ BackupDirectory = $_ } }";
        Assert.Equal(
            [workspace.Backups, workspace["second"]],
            workspace.Run($"{both} | Get-SHBackupHealth").WithoutErrors().As<BackupHealth>().Select(health => health.BackupDirectory));
        Assert.StartsWith(
            "InvalidArgument,", Assert.Single(workspace.Run($"{both} | Export-SHBackupMetric").Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    [Fact]
    public void The_text_of_a_row_is_no_path_of_a_database()
    {
        using var workspace = new Workspace();
        File.Copy(workspace.Database, workspace["@{Foo=a}"]);
        foreach (var input in (string[])["[pscustomobject]@{ Foo = 'a' }", "[pscustomobject]@{ Foo = '[a]' }", "@{ Foo = 1 }",
            "[pscustomobject]@{ DatabasePath = '' }", "$null"])
        {
            var result = workspace.Run($"{input} | New-SHBackup");
            Assert.True(result.Errors.Count == 1, $"{input}: {string.Join("; ", result.Errors)}");
        }

        Assert.Empty(workspace.Listed());
        Assert.Single(workspace.Run("[pscustomobject]@{ DatabasePath = './app.db' } | New-SHBackup").WithoutErrors().Output);
        Assert.Single(workspace.Run($"Get-SHBackup | {AsRow} | New-SHBackup -NoVerify").WithoutErrors().Output);
        Assert.Single(workspace.Run("[System.IO.FileInfo]$args[0] | New-SHBackup -NoVerify", workspace.Database).WithoutErrors().Output);
        Assert.Single(workspace.Run("New-SHBackup ([System.IO.FileInfo]$args[0]) -NoVerify", workspace.Database).WithoutErrors().Output);
    }
}
