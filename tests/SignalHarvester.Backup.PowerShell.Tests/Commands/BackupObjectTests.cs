using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>The emitted objects: raw values in the object, readable ones in the view, and both intact after a job or a file.</summary>
public class BackupObjectTests
{
    // The effect of a job, Export-Clixml and a remote session on an object.
    private const string ThroughAJob =
        "ForEach-Object { [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($_)) }";

    [Fact]
    public void The_object_holds_raw_numbers_and_times()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        var values =
            workspace.Run("$b = Get-SHBackup; $b.Size, $b.DatabaseSize, $b.PageSize, $b.PageCount, $b.Timestamp, $b.Age, $b.Duration, $b.RowCounts['customer']")
            .WithoutErrors().Output.Select(value => value.BaseObject.GetType());
        Assert.Equal(
            [typeof(long), typeof(long), typeof(int), typeof(long), typeof(DateTimeOffset), typeof(BackupAge), typeof(TimeSpan), typeof(long)], values);
    }

    [Fact]
    public void Sizes_add_up_and_compare_in_the_pipeline()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup("-NoVerify");
        Assert.True(workspace.Run("[bool](Get-SHBackup | Where-Object Size -gt 1kb)").WithoutErrors().As<bool>().Single());
        Assert.Empty(workspace.Run("Get-SHBackup | Where-Object Size -gt 1gb").WithoutErrors().Output);
        Assert.Single(
            workspace.Run("Get-SHBackup | Where-Object Compression -eq Zstd | Where-Object Type -eq Full | Where-Object Verified -eq $false")
                .WithoutErrors().Output);
    }

    [Theory]
    [InlineData(80)]
    [InlineData(120)]
    [InlineData(int.MaxValue / 2)]
    public void The_table_fits_the_screen_and_pads_nothing_where_there_is_none(int width)
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        workspace.AddBackup(TimeSpan.FromDays(1001.9), sidecar =>
        {
            sidecar["backup_type"] = "incremental";
            sidecar["size_bytes"] = 1047527424;
            sidecar["database_size"] = 1047527424;
            sidecar["page_count"] = 1047527424 / 4096;
            sidecar["retention_policy"] = "monthly";
        });
        workspace.Session.Host.UI.RawUI.BufferSize = workspace.Session.Host.UI.RawUI.WindowSize = new(width, 50);
        var lines = workspace.Session.Render("Get-SHBackup").Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);

        Assert.True(lines.Length == 4, string.Join('\n', lines));
        Assert.All(lines, line => Assert.True(line.Length <= Math.Min(width, 120), $"{line.Length}: {line}"));
        Assert.Matches("^Id +Type +Age +Size +Verified +Copies +Database *$", lines[0]);
        Assert.Matches(@"^backup_\d+_\d+_\d+ Incr +1001d +999.0 MiB ", lines[3]);
        Assert.EndsWith(" app.db", lines[2].TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public void Json_keeps_every_value()
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup("-Description 'ü' -RetentionPolicy Daily -Metadata @{ a = 1; b = 'x' }");
        var back = JsonSerializer.Deserialize<BackupMetadata>(JsonSerializer.Serialize(made))!;
        foreach (var property in typeof(BackupMetadata).GetProperties().Where(p => p.Name is not ("Age" or "Verification" or "Metadata" or "RowCounts")))
        {
            Assert.Equal(property.GetValue(made), property.GetValue(back));
        }

        Assert.Equal(made.Verification, back.Verification);
        Assert.Equal(made.RowCounts!, back.RowCounts!);
        Assert.Equal(
            made.Metadata.ToDictionary(entry => entry.Key, entry => Convert.ToString(entry.Value, CultureInfo.InvariantCulture)),
            back.Metadata.ToDictionary(entry => entry.Key, entry => entry.Value?.ToString()));
        using var json = JsonDocument.Parse(JsonSerializer.Serialize(made));
        Assert.Equal(made.Size, json.RootElement.GetProperty("Size").GetInt64());
        Assert.True(json.RootElement.GetProperty("Age").GetProperty("TotalDays").GetDouble() >= 0);
    }

    [Fact]
    public void A_job_keeps_every_value()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup("-Metadata @{ list = 1, 'two'; map = @{ inner = 'x' } }");
        workspace.AddBackup(TimeSpan.FromDays(31), sidecar => sidecar["inconsistencies"] = new JsonArray("index t_lower"));
        var result = workspace.Run(
            $$"""
            foreach ($b in Get-SHBackup) {
                $c = $b | {{ThroughAJob}}
                foreach ($name in 'Id', 'Type', 'DatabasePath', 'BackupPath', 'BackupDirectory', 'Compression', 'Size', 'DatabaseSize', 'PageSize', 'PageCount',
                    'Checksum', 'StoredChecksum', 'Verified', 'VerificationLevel', 'RetentionPolicy', 'Description', 'Duration', 'IsSafety', 'IsPredecessor') {
                    if ("$($b.$name)" -cne "$($c.$name)") { "${name}: $($b.$name) became $($c.$name)" }
                }
                if ($b.Timestamp.UtcDateTime -ne $c.Timestamp.UtcDateTime) { "Timestamp: $($b.Timestamp) became $($c.Timestamp)" }
                if ($b.Verification.Count -ne $c.Verification.Count -or $b.Verification[-1].Detail -cne $c.Verification[-1].Detail) { 'Verification' }
                if ($b.RowCounts['customer'] -ne $c.RowCounts['customer']) { 'RowCounts' }
                if ([math]::Abs($b.Age.TotalSeconds - $c.Age.TotalSeconds) -gt 60) { "Age: $($b.Age) became $($c.Age)" }
                if ("$($b.Inconsistencies)" -cne "$($c.Inconsistencies)") { 'Inconsistencies' }
                if ("$($b.Metadata.list)" -cne "$($c.Metadata.list)" -or "$($b.Metadata.map.inner)" -cne "$($c.Metadata.map.inner)") { 'Metadata' }
            }
            """).WithoutErrors();
        Assert.Empty(result.Output.Select(difference => difference.ToString()));
    }

    [Fact]
    public void After_a_job_ages_still_select_exactly_the_older_ones()
    {
        using var workspace = new Workspace();
        workspace.AddBackup(TimeSpan.FromDays(29));
        var old = workspace.AddBackup(TimeSpan.FromDays(31));
        string[] Ids(string script) => [.. workspace.Run(script).WithoutErrors().Output.Select(backup => (string)backup.Properties["Id"].Value)];

        Assert.Equal([old], Ids($"Get-SHBackup | {ThroughAJob} | Where Age -gt 30d"));
        Assert.Equal([old], Ids($"Get-SHBackup | {ThroughAJob} | Where-Object {{ $_.Age -gt '720h' }}"));
        Assert.Empty(workspace.Run($"Get-SHBackup | {ThroughAJob} | Where Age -gt 30").Output);
        Assert.Empty(workspace.Run($"Get-SHBackup | {ThroughAJob} | Where Age -gt 30s | Remove-SHBackup -Force").Output);
        Assert.Equal(2, workspace.Listed().Count);
    }

    [Fact]
    public void After_a_job_a_backup_is_tested_restored_and_removed()
    {
        using var workspace = new Workspace();
        workspace.Run("$made = New-SHBackup app.db -BackupDirectory ./other -NoVerify").WithoutErrors();
        workspace.Run($"$back = $made | {ThroughAJob}").WithoutErrors();

        Assert.True(workspace.Run("$back | Test-SHBackup").WithoutErrors().As<BackupMetadata>().Single().Verified);
        workspace.Run("$back | Restore-SHBackup -Destination ./new.db -Force").WithoutErrors();
        Assert.Equal(ImageHash.Of(workspace.Database), ImageHash.Of(workspace["new.db"]));
        Assert.Single(workspace.Run("Test-SHBackup -InputObject $back -Level Quick").WithoutErrors().Output);
        Assert.Single(workspace.Run("$back | Get-SHBackup").WithoutErrors().Output);
        Assert.Single(workspace.Run("$back | Remove-SHBackup -Force").WithoutErrors().Output);
        Assert.Empty(workspace.Run("Get-SHBackup -BackupDirectory ./other").WithoutErrors().Output);
    }

    [Fact]
    public void An_object_reads_as_its_id()
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup("-NoVerify");
        Assert.Equal(made.Id, workspace.Run("\"$(Get-SHBackup)\"").WithoutErrors().As<string>().Single());
    }

    [Fact]
    public void The_checks_are_a_list_that_PowerShell_can_index()
    {
        using var workspace = new Workspace();
        foreach (var script in (string[])["New-SHBackup app.db", "Get-SHBackup", "Get-SHBackup | Test-SHBackup",
            "Get-SHBackup | Restore-SHBackup -Destination new.db -Force"])
        {
            var picked = workspace.Run($"$b = {script}; $b.Verification[0].Check; $b.Verification[-1].Passed").WithoutErrors();
            Assert.Equal<object>(["StoredSize", true], picked.Output.Select(value => value.BaseObject));
        }
    }

    [Fact]
    public void Ages_are_of_the_moment_of_asking()
    {
        using var workspace = new Workspace();
        workspace.AddBackup(TimeSpan.FromDays(3));
        var ages = workspace.Run("$b = Get-SHBackup; $b.Age.Value.Ticks; $b.Age.Value.Ticks").WithoutErrors().As<long>();
        Assert.True(ages[1] > ages[0]);
        Assert.Equal("3d 0h", workspace.Run("\"$((Get-SHBackup).Age)\"").WithoutErrors().As<string>().Single());
    }
}
