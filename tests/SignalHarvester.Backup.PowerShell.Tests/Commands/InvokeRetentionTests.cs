using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>Invoke-SHBackupRetention, as a user calls it.</summary>
public class InvokeRetentionTests
{
    private const string ThroughAJob =
        "ForEach-Object { [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($_)) }";

    [Fact]
    public void The_newest_of_each_rule_stay_and_the_rest_go()
    {
        using var workspace = new Workspace();
        var daily = Add(workspace, "daily", 1, 2, 3, 4);
        var weekly = Add(workspace, "weekly", 5, 12, 19);
        var monthly = Add(workspace, "monthly", 30, 61, 92);
        var manual = Add(workspace, null, 400);
        var decisions = workspace.Run("Invoke-SHBackupRetention -KeepDaily 3 -KeepWeekly 2 -KeepMonthly 1").WithoutErrors().As<RetentionDecision>();

        Assert.Equal([.. daily, .. weekly, .. monthly, .. manual], decisions.Select(decision => decision.Backup.Id));
        Assert.Equal([daily[3], weekly[2], monthly[1], monthly[2]], Removed(decisions));
        Assert.Equal([.. daily[..3], .. weekly[..2], monthly[0], .. manual], workspace.Listed());
        Assert.All(Removed(decisions), id => Assert.DoesNotContain(workspace.BackupFiles, file => file.Contains(id, StringComparison.Ordinal)));
        Assert.EndsWith(", 1 of 3", decisions[0].Reasons[0], StringComparison.Ordinal);
        Assert.Empty(workspace.Session.Host.Questions);
    }

    [Theory]
    [InlineData("Invoke-SHBackupRetention -KeepDaily 2 -WhatIf")]
    [InlineData("$WhatIfPreference = $true; Invoke-SHBackupRetention -KeepDaily 2")]
    public void WhatIf_emits_the_same_and_removes_nothing(string script)
    {
        using var workspace = new Workspace();
        Add(workspace, "daily", 1, 2, 3, 4);
        var before = workspace.BackupFiles;
        var announced = workspace.Run(script).WithoutErrors().As<RetentionDecision>().Select(decision => decision.ToString());
        Assert.Equal(before, workspace.BackupFiles);
        Assert.Equal(2, workspace.Session.Host.Shown.Split("What if:").Length - 1);

        var real = workspace.Run("$WhatIfPreference = $false; Invoke-SHBackupRetention -KeepDaily 2").WithoutErrors().As<RetentionDecision>();
        Assert.Equal(announced, real.Select(decision => decision.ToString()));
        Assert.Equal(2, workspace.Listed().Count);
        Assert.Empty(Removed(workspace.Run("Invoke-SHBackupRetention -KeepDaily 2").WithoutErrors().As<RetentionDecision>()));
    }

    [Fact]
    public void Confirm_asks_for_each_that_goes_and_shows_why()
    {
        using var workspace = new Workspace("Yes", "No");
        var ids = Add(workspace, "daily", 1, 2, 3);
        var decisions = workspace.Run("Invoke-SHBackupRetention -KeepDaily 1 -Confirm").WithoutErrors().As<RetentionDecision>();
        Assert.Equal([ids[1]], Removed(decisions));
        Assert.Equal("not confirmed", decisions[2].Reasons[0]);
        Assert.Equal([ids[0], ids[2]], workspace.Listed());
        Assert.Equal(2, workspace.Session.Host.Questions.Count);
        Assert.Contains(ids[1], workspace.Session.Host.Questions[0], StringComparison.Ordinal);
        Assert.Contains("a newer day is kept", workspace.Session.Host.Questions[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Manual_backups_go_by_age_when_they_are_included()
    {
        using var workspace = new Workspace();
        var ids = Add(workspace, null, 1, 40, 41, 900);
        Assert.Empty(Removed(workspace.Run("Invoke-SHBackupRetention -RetentionDays 30").WithoutErrors().As<RetentionDecision>()));

        var decisions = workspace.Run("Invoke-SHBackupRetention -RetentionDays 30 -IncludeManual -KeepDaily 2 -KeepWeekly 0 -KeepMonthly 0")
            .WithoutErrors().As<RetentionDecision>();
        Assert.Equal([ids[2], ids[3]], Removed(decisions));
        Assert.EndsWith(", 2 of 2", decisions[1].Reasons[0], StringComparison.Ordinal);
        Assert.Equal(["manual, older than 30 days"], decisions[3].Reasons);
        Assert.Equal(ids[..2], workspace.Listed());
    }

    [Theory]
    [InlineData("-KeepYearly 3", 3)]
    [InlineData("-KeepLast 2", 2)]
    [InlineData("-KeepWithin 400d", 2)]
    [InlineData("-KeepWithin '57w'", 2)]
    [InlineData("-KeepWithin ([timespan]::FromDays(400))", 2)]
    [InlineData("-KeepLast 1", 1)]
    public void The_rules_that_look_at_no_policy_add_to_what_is_kept(string parameters, int kept)
    {
        using var workspace = new Workspace();
        var ids = Add(workspace, "daily", 1, 390, 1000);
        workspace.Run("Invoke-SHBackupRetention -KeepDaily 1 -KeepWeekly 0 -KeepMonthly 0 " + parameters).WithoutErrors();
        Assert.Equal(ids[..kept], workspace.Listed());
    }

    [Fact]
    public void A_backup_that_kept_ones_build_on_is_folded_into_them()
    {
        using var workspace = new Workspace();
        foreach (var type in (string[])["Full", "Incremental", "Incremental"])
        {
            using (var connection = Databases.Open(workspace.Database))
            {
                Databases.Execute(connection, $"CREATE TABLE t{Guid.NewGuid():N} (x)");
            }

            workspace.MakeBackup($"-RetentionPolicy Daily -Type {type}");
        }

        var ids = workspace.Listed();
        foreach (var (id, days) in ids.Zip([1, 2, 3]))
        {
            workspace.EditSidecar(id, sidecar => sidecar["timestamp"] = DateTime.UtcNow.AddDays(-days).ToString("O", CultureInfo.InvariantCulture));
        }

        var decisions = workspace.Run("Invoke-SHBackupRetention -KeepDaily 2").WithoutErrors().As<RetentionDecision>();
        Assert.Equal([ids[2]], Removed(decisions));
        Assert.Equal($"folded into {ids[1]} first", decisions[2].Reasons[1]);
        Assert.Equal(["Incremental", "Full"], workspace.Run("(Get-SHBackup).Type").WithoutErrors().Output.Select(type => type.ToString()));
        Assert.Equal([true, true], workspace.Run("Get-SHBackup | Test-SHBackup -Quiet").WithoutErrors().As<bool>());
        workspace.Run($"Restore-SHBackup {ids[0]} ./back.db -Force").WithoutErrors();
        Assert.Equal(ImageHash.Of(workspace.Database), ImageHash.Of(workspace["back.db"]));
    }

    [Theory]
    [InlineData("-Database other.db")]
    [InlineData("-Database OTHER*")]
    [InlineData("-Database '/srv/größere daten/other.db'")]
    public void Database_names_what_is_judged(string parameters)
    {
        using var workspace = new Workspace();
        var mine = Add(workspace, "daily", 1, 2);
        var others = Add(workspace, "daily", sidecar => sidecar["db_path"] = "/srv/größere daten/other.db", 3, 4);
        var decisions = workspace.Run("Invoke-SHBackupRetention -KeepDaily 1 " + parameters).WithoutErrors().As<RetentionDecision>();
        Assert.Equal(others, decisions.Select(decision => decision.Backup.Id));
        Assert.Equal([.. mine, others[0]], workspace.Listed());
    }

    [Fact]
    public void The_newest_verified_backup_and_safety_backups_stay()
    {
        using var workspace = new Workspace();
        var unverified = Add(workspace, "daily", sidecar => (sidecar["verified"], sidecar["verification_timestamp"]) = (false, null), 1, 2);
        var safety = Add(workspace, null, sidecar => sidecar["safety"] = true, 3);
        var verified = Add(workspace, "daily", 4, 5);
        workspace.Run("Invoke-SHBackupRetention -KeepDaily 0 -IncludeManual -RetentionDays 0").WithoutErrors();
        Assert.Equal([safety[0], verified[0]], workspace.Listed());
        Assert.NotEmpty(unverified);
    }

    [Fact]
    public void A_backup_dated_in_the_future_pushes_none_out()
    {
        using var workspace = new Workspace();
        var ids = Add(workspace, "daily", -300, -299, -298, 1, 2, 3);
        var decisions = workspace.Run("Invoke-SHBackupRetention -KeepDaily 2").WithoutErrors().As<RetentionDecision>();
        Assert.Equal([ids[5]], Removed(decisions));
        Assert.Contains("dated in the future", decisions[0].Reasons[0], StringComparison.Ordinal);
    }

    [Fact]
    public void The_copy_in_the_cloud_stays_and_its_record_too()
    {
        using var workspace = new Workspace();
        Directory.CreateDirectory(workspace["cloud"]);
        string[] ids =
        [
            .. Enumerable.Range(1, 3).Select(day => workspace.AddBackup(TimeSpan.FromDays(day), sidecar =>
            {
                var copy = workspace["cloud", (string)sidecar["backup_id"]! + "_full.db.zst"];
                File.WriteAllText(copy, "copy");
                (sidecar["retention_policy"], sidecar["cloud_url"], sidecar["cloud_provider"]) = ("daily", new Uri(copy).AbsoluteUri, "s3");
            })),
        ];
        var decisions = workspace.Run("Invoke-SHBackupRetention -KeepDaily 1").WithoutErrors().As<RetentionDecision>();
        Assert.Equal(ids[1..], Removed(decisions));
        Assert.Equal(3, Directory.GetFiles(workspace["cloud"]).Length);
        Assert.All(decisions, decision => Assert.EndsWith(decision.Backup.Id + "_full.db.zst", decision.Backup.CloudUrl, StringComparison.Ordinal));
        Assert.NotNull(workspace.Run("Get-SHBackup").As<BackupMetadata>().Single().CloudUrl);
    }

    [Fact]
    public void Backups_of_the_predecessor_go_by_their_policy_with_their_entry_in_the_index()
    {
        using var workspace = new Workspace();
        var predecessor = new PredecessorBackups(workspace.Backups);
        string[] ids =
        [
            .. Enumerable.Range(0, 4).Select(day => predecessor.Add(
                workspace.Database,
                PredecessorBackups.Forms["full gzip"] with { Timestamp = new DateTime(2025, 11, 10 - day, 2, 0, 0, DateTimeKind.Utc) }).Id),
        ];
        workspace.Run("Invoke-SHBackupRetention -KeepDaily 2").WithoutErrors();
        Assert.Equal(ids[..2], workspace.Listed());
        var index = JsonNode.Parse(File.ReadAllText(Path.Combine(workspace.Backups, "backups.json")))!.AsArray();
        Assert.Equal(ids[..2], index.Select(entry => (string)entry!["backup_id"]!));
    }

    [Theory]
    [InlineData("-KeepDaily -1")]
    [InlineData("-KeepWeekly -1")]
    [InlineData("-KeepMonthly -1")]
    [InlineData("-KeepYearly -1")]
    [InlineData("-KeepLast -1")]
    [InlineData("-RetentionDays -1")]
    [InlineData("-KeepWithin -1d")]
    [InlineData("-KeepWithin 30")]
    [InlineData("-KeepWithin ''")]
    [InlineData("-KeepWithin $null")]
    [InlineData("-Database ''")]
    public void Values_that_make_no_sense_are_refused_before_anything_goes(string parameters)
    {
        using var workspace = new Workspace();
        Add(workspace, "daily", 1, 2, 3);
        var result = workspace.Run("Invoke-SHBackupRetention " + parameters);
        Assert.Matches("^(ParameterArgumentValidationError|CannotConvertArgument)", Assert.Single(result.Errors).FullyQualifiedErrorId);
        Assert.Equal(3, workspace.Listed().Count);
    }

    [Fact]
    public void A_sidecar_that_cannot_be_used_is_an_error_and_the_others_are_judged()
    {
        using var workspace = new Workspace();
        var ids = Add(workspace, "daily", 1, 2, 3);
        File.WriteAllText(workspace.SidecarOf(ids[0]), "{");
        var result = workspace.Run("Invoke-SHBackupRetention -KeepDaily 1");
        Assert.StartsWith("SidecarInvalid,", Assert.Single(result.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal([ids[2]], Removed(result.As<RetentionDecision>()));
        Assert.True(File.Exists(workspace.FileOf(ids[0])));
    }

    [Fact]
    public void What_cannot_be_removed_is_an_error_and_its_decision_says_so()
    {
        using var workspace = new Workspace();
        var ids = Add(workspace, "daily", 1, 2);
        Directory.CreateDirectory(Path.Combine(workspace.Backups, ".shbackup"));
        File.WriteAllText(Path.Combine(workspace.Backups, ".shbackup", "removing"), "in the way of the marker");
        var result = workspace.Run("Invoke-SHBackupRetention -KeepDaily 1");
        Assert.EndsWith("InvokeSHBackupRetentionCommand", Assert.Single(result.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Null(result.Failure);
        Assert.Equal(
            (RetentionAction.Keep, "could not be removed: see the error"),
            (result.As<RetentionDecision>()[1].Action, result.As<RetentionDecision>()[1].Reasons[0]));
        Assert.Equal(ids, workspace.Listed());
    }

    [Fact]
    public void Several_directories_are_judged_each_by_itself_and_once()
    {
        using var workspace = new Workspace();
        var ids = Add(workspace, "daily", 1, 2, 3);
        workspace.Run("foreach ($i in 1..2) { $null = New-SHBackup app.db -BackupDirectory './zweite Sicherung' -RetentionPolicy Daily -NoVerify }")
            .WithoutErrors();
        var decisions = workspace.Run("Get-SHBackup; Get-SHBackup -BackupDirectory './zweite Sicherung'").WithoutErrors();
        Assert.Equal(5, decisions.Output.Count);

        var emitted = workspace.Run("& { Get-SHBackup; Get-SHBackup -BackupDirectory './zweite Sicherung' } | Invoke-SHBackupRetention -KeepDaily 2")
            .WithoutErrors().As<RetentionDecision>();
        Assert.Equal(5, emitted.Count);
        Assert.Equal(ids[..2], workspace.Listed());
        Assert.Single(workspace.Run("Get-SHBackup -BackupDirectory './zweite Sicherung'").WithoutErrors().Output);
    }

    [Fact]
    public void A_directory_that_is_missing_is_an_error()
    {
        using var workspace = new Workspace();
        Assert.StartsWith(
            "DirectoryNotFound,", Assert.Single(workspace.Run("Invoke-SHBackupRetention -BackupDirectory ./missing").Errors).FullyQualifiedErrorId,
            StringComparison.Ordinal);
        Assert.False(Directory.Exists(workspace["missing"]));
    }

    [Fact]
    public void A_decision_out_of_a_job_or_file_is_a_decision_again()
    {
        using var workspace = new Workspace();
        Add(workspace, "daily", 1, 2);
        var decision = workspace.Run("Invoke-SHBackupRetention -KeepDaily 1 -WhatIf").WithoutErrors().As<RetentionDecision>()[1];
        var back = workspace.Session.Invoke($"$input | {ThroughAJob}", [decision]).WithoutErrors().As<RetentionDecision>().Single();
        Assert.Equal(decision.ToString(), back.ToString());
        Assert.Equal(decision.Backup.Verification, back.Backup.Verification);
        Assert.Equal(workspace.Session.Render("$input", decision), workspace.Session.Render("$input", back));
        Assert.Equal(
            "a newer day is kept",
            workspace.Session.Invoke("foreach ($d in $input) { ($d.Reasons[-1] -split ': ')[1] }", [back]).WithoutErrors().As<string>().Single());
        Assert.Single(workspace.Session.Invoke("$input | ForEach-Object Backup | Test-SHBackup -Level Quick", [back]).WithoutErrors().Output);

        var json = JsonSerializer.Deserialize<RetentionDecision>(JsonSerializer.Serialize(decision))!;
        Assert.Equal(decision.ToString(), json.ToString());
        Assert.Equal(decision.Backup.Size, json.Backup.Size);
    }

    [Theory]
    [InlineData(120)]
    [InlineData(int.MaxValue / 2)]
    public void The_table_shows_action_and_reasons(int width)
    {
        using var workspace = new Workspace();
        workspace.AddBackup(TimeSpan.FromDays(1001.9), sidecar => (sidecar["backup_type"], sidecar["retention_policy"]) = ("incremental", "monthly"));
        workspace.Session.Host.UI.RawUI.BufferSize = workspace.Session.Host.UI.RawUI.WindowSize = new(width, 50);
        var lines = workspace.Session.Render("Invoke-SHBackupRetention").Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        Assert.Matches("^Action +Age Database +Id +Reasons$", lines[0].TrimEnd());
        Assert.Matches("^Keep +1001d app.db +backup_[0-9_]+ monthly ", lines[2]);
        Assert.All(lines, line => Assert.True(line.Length <= Math.Min(width, 200), line));
        Assert.Equal(width == 120, lines.Length > 3);
    }

    [Fact]
    public void The_list_shows_the_decision_and_the_backup()
    {
        using var workspace = new Workspace();
        Add(workspace, "daily", 1);
        var decision = workspace.Run("Invoke-SHBackupRetention").As<RetentionDecision>().Single();
        var file = workspace["list.Format.ps1xml"];
        var views = XDocument.Load(BuiltModule.PathOf("SignalHarvester.Backup.Format.ps1xml"));
        views.Descendants("View").Where(view => !view.Descendants("ListControl").Any()).Remove();
        views.Save(file);
        using var session = PowerShellSession.StartWithFormat(file);
        var shown = session.Render("$input", decision);
        Assert.All(
            (string[])["Action", "Reasons", "Backup", "DatabasePath", "Type", "RetentionPolicy", "Timestamp", "Age", "Verified", "ParentId", "BackupPath",
                "CloudUrl"],
            name => Assert.Matches($@"(?m)^{name} +:", shown));
        Assert.Contains(decision.Backup.Id, shown, StringComparison.Ordinal);
        Assert.Contains("1 of 7; newest verified backup of the database", shown, StringComparison.Ordinal);
    }

    private static string[] Add(Workspace workspace, string? policy, params int[] daysOld) => Add(workspace, policy, _ => { }, daysOld);

    private static string[] Add(Workspace workspace, string? policy, Action<JsonObject> edit, params int[] daysOld) =>
    [
        .. daysOld.Select(days => workspace.AddBackup(TimeSpan.FromDays(days), sidecar =>
        {
            sidecar["retention_policy"] = policy;
            edit(sidecar);
        })),
    ];

    private static IEnumerable<string> Removed(IEnumerable<RetentionDecision> decisions) =>
        decisions.Where(decision => decision.Action == RetentionAction.Remove).Select(decision => decision.Backup.Id);
}
