using System.Text.Json.Nodes;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>Remove-SHBackup, as a user calls it.</summary>
public class RemoveBackupTests
{
    [Fact]
    public void The_question_says_that_what_builds_on_it_stays_whole()
    {
        using var workspace = new Workspace("No", "No", "No");
        workspace.Change();
        var full = workspace.MakeBackup();
        workspace.Change();
        var increment = workspace.MakeBackup("-Type Incremental");
        workspace.Run($"Remove-SHBackup {full.Id}; Remove-SHBackup {increment.Id}; Remove-SHBackup {full.Id} -WhatIf").WithoutErrors();
        var questions = workspace.Session.Host.Questions;
        Assert.Contains("after folding it into the kept backups that build on it", questions[0], StringComparison.Ordinal);
        Assert.DoesNotContain("fold", questions[1], StringComparison.Ordinal);
        Assert.Contains("after folding it into the kept backups that build on it", workspace.Session.Host.Shown, StringComparison.Ordinal);
    }

    [Fact]
    public void File_and_sidecar_go_and_the_backup_is_emitted()
    {
        using var workspace = new Workspace();
        var keep = workspace.AddBackup(TimeSpan.FromDays(1));
        var made = workspace.MakeBackup("-NoVerify");
        var removed = workspace.Run($"Remove-SHBackup {made.Id} -Force").WithoutErrors().As<BackupMetadata>().Single();
        Assert.Equal(made.Id, removed.Id);
        Assert.Equal(made.Size, removed.Size);
        Assert.Equal([keep], workspace.Listed());
        Assert.DoesNotContain(Directory.EnumerateFiles(workspace.Backups), file => file.Contains(made.Id, StringComparison.Ordinal));
        Assert.Empty(workspace.Session.Host.Questions);
    }

    [Fact]
    public void Objects_ids_and_wildcards_are_taken()
    {
        using var workspace = new Workspace();
        string[] ids = [.. Enumerable.Range(1, 6).Select(days => workspace.AddBackup(TimeSpan.FromDays(days)))];
        string[] Removed(string script) => [.. Workspace.Ids(workspace.Run(script + " -Force").WithoutErrors())];

        Assert.Equal([ids[0]], Removed("Get-SHBackup -Newest 1 | Remove-SHBackup"));
        Assert.Equal([ids[1]], Removed("Remove-SHBackup -InputObject (Get-SHBackup -Newest 1)"));
        Assert.Equal([ids[2]], Removed($"'{ids[2]}' | Remove-SHBackup"));
        Assert.Equal([ids[3], ids[4]], Removed($"Remove-SHBackup -Id {ids[4]}, {ids[3]}"));
        Assert.Equal([ids[5]], Removed("Remove-SHBackup *"));
        Assert.Empty(workspace.Listed());
    }

    [Fact]
    public void An_object_whose_backup_another_run_has_removed_meanwhile_is_no_error()
    {
        using var workspace = new Workspace();
        workspace.AddBackup(TimeSpan.FromDays(1));
        var run = workspace.Run("$seen = Get-SHBackup; Get-SHBackup | Remove-SHBackup -Force | Out-Null; $seen | Remove-SHBackup -Force").WithoutErrors();
        Assert.Empty(run.Output);
    }

    [Fact]
    public void It_asks_for_each_showing_which_it_is()
    {
        using var workspace = new Workspace("Yes", "No");
        var young = workspace.AddBackup(TimeSpan.FromDays(1));
        var old = workspace.AddBackup(TimeSpan.FromDays(2));
        Assert.Equal([young], Workspace.Ids(workspace.Run("Get-SHBackup | Remove-SHBackup").WithoutErrors()));
        Assert.Equal([old], workspace.Listed());
        Assert.Equal(2, workspace.Session.Host.Questions.Count);
        Assert.All(
            workspace.Session.Host.Questions.Zip([young, old]),
            asked => Assert.True(
                asked.First.Contains(asked.Second, StringComparison.Ordinal) && asked.First.Contains(workspace.Database, StringComparison.Ordinal),
                asked.First));
    }

    [Theory]
    [InlineData("Yes to All", 3, 1)]
    [InlineData("No to All", 0, 1)]
    public void An_answer_to_all_is_asked_for_once(string answer, int removed, int questions)
    {
        using var workspace = new Workspace(answer);
        Enumerable.Range(1, 3).ToList().ForEach(days => workspace.AddBackup(TimeSpan.FromDays(days)));
        Assert.Equal(removed, workspace.Run("Get-SHBackup | Remove-SHBackup").WithoutErrors().Output.Count);
        Assert.Equal(3 - removed, workspace.Listed().Count);
        Assert.Equal(questions, workspace.Session.Host.Questions.Count);
    }

    [Theory]
    [InlineData("-WhatIf", 0)]
    [InlineData("-WhatIf -Force", 0)]
    [InlineData("-Confirm:$false", 1)]
    [InlineData("-Force", 1)]
    public void Parameters_answer_beforehand(string parameters, int removed)
    {
        using var workspace = new Workspace();
        workspace.AddBackup(TimeSpan.FromDays(1));
        Assert.Equal(removed, workspace.Run("Get-SHBackup | Remove-SHBackup " + parameters).WithoutErrors().Output.Count);
        Assert.Equal(1 - removed, workspace.Listed().Count);
        Assert.Empty(workspace.Session.Host.Questions);
    }

    [Fact]
    public void Force_with_Confirm_asks()
    {
        using var workspace = new Workspace("No");
        workspace.AddBackup(TimeSpan.FromDays(1));
        Assert.Empty(workspace.Run("Get-SHBackup | Remove-SHBackup -Force -Confirm").WithoutErrors().Output);
        Assert.Single(workspace.Listed());
    }

    [Fact]
    public void WhatIfPreference_is_heeded_with_Force_too()
    {
        using var workspace = new Workspace();
        workspace.AddBackup(TimeSpan.FromDays(1));
        Assert.Empty(workspace.Run("$WhatIfPreference = $true; Get-SHBackup | Remove-SHBackup -Force").WithoutErrors().Output);
        Assert.Single(workspace.Listed());
    }

    [Fact]
    public void A_pipeline_that_fails_before_its_end_removes_nothing()
    {
        using var workspace = new Workspace();
        workspace.AddBackup(TimeSpan.FromDays(1));
        workspace.AddBackup(TimeSpan.FromDays(2));
        var result = workspace.Run("Get-SHBackup | ForEach-Object { $_; throw 'stop' } | Remove-SHBackup -Force");
        Assert.NotNull(result.Failure);
        Assert.Equal(2, workspace.Listed().Count);
    }

    [Fact]
    public void The_same_backup_twice_is_removed_once_without_an_error()
    {
        using var workspace = new Workspace();
        var id = workspace.AddBackup(TimeSpan.FromDays(1));
        Assert.Equal([id], Workspace.Ids(workspace.Run($"'{id}', '{id}' | Remove-SHBackup -Force").WithoutErrors()));
    }

    [Fact]
    public void A_backup_whose_file_is_missing_can_be_removed()
    {
        using var workspace = new Workspace();
        var id = workspace.AddBackup(TimeSpan.FromDays(1));
        File.Delete(workspace.FileOf(id));
        Assert.Equal([id], Workspace.Ids(workspace.Run($"Remove-SHBackup {id} -Force").WithoutErrors()));
        Assert.Empty(workspace.Listed());
    }

    [Theory]
    [InlineData("backup_path", "../victim.txt")]
    [InlineData("backup_path", "/victim.txt")]
    [InlineData("backup_path", "..\\victim.txt")]
    [InlineData("backup_path", "backups.json")]
    [InlineData("backup_id", "../victim")]
    [InlineData("parent_id", "../victim")]
    public void A_hostile_sidecar_removes_nothing(string field, string value)
    {
        using var workspace = new Workspace();
        File.WriteAllText(workspace["victim.txt"], "precious");
        File.WriteAllText(workspace["victim.json"], "{}");
        var id = workspace.AddBackup(TimeSpan.FromDays(1), sidecar => sidecar[field] = value.StartsWith('/') ? workspace["victim.txt"] : value);
        foreach (var script in (string[])[$"Remove-SHBackup {id} -Force", "Remove-SHBackup * -Force", "Get-SHBackup | Remove-SHBackup -Force"])
        {
            var result = workspace.Run(script);
            Assert.Empty(result.Output);
            Assert.StartsWith("SidecarHostile,", Assert.Single(result.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
        }

        Assert.Equal("precious", File.ReadAllText(workspace["victim.txt"]));
        Assert.True(File.Exists(workspace["victim.json"]));
        Assert.True(File.Exists(workspace.FileOf(id)));
    }

    [Fact]
    public void A_path_that_ends_in_the_right_name_elsewhere_means_the_file_beside_the_sidecar()
    {
        using var workspace = new Workspace();
        var id = workspace.AddBackup(TimeSpan.FromDays(1));
        var name = Path.GetFileName(workspace.FileOf(id));
        File.WriteAllText(workspace[name], "precious");
        workspace.EditSidecar(id, sidecar => sidecar["backup_path"] = workspace[name]);
        Assert.Equal([id], Workspace.Ids(workspace.Run($"Remove-SHBackup {id} -Force").WithoutErrors()));
        Assert.Equal("precious", File.ReadAllText(workspace[name]));
        Assert.False(File.Exists(Path.Combine(workspace.Backups, name)));
    }

    [Fact]
    public void A_link_in_place_of_the_file_is_not_followed()
    {
        using var workspace = new Workspace();
        var id = workspace.AddBackup(TimeSpan.FromDays(1));
        var file = workspace.FileOf(id);
        File.Move(file, workspace["victim.zst"]);
        File.CreateSymbolicLink(file, workspace["victim.zst"]);
        workspace.Run($"Remove-SHBackup {id} -Force");
        Assert.True(File.Exists(workspace["victim.zst"]));
    }

    [Fact]
    public void A_crafted_object_removes_only_what_its_directory_lists()
    {
        using var workspace = new Workspace();
        File.WriteAllText(workspace["victim.txt"], "precious");
        var crafted = new BackupMetadata { Id = "../victim", BackupPath = workspace["victim.txt"], BackupDirectory = workspace.Backups };
        var result = workspace.Session.Invoke("$input | Remove-SHBackup -Force", [crafted]);
        Assert.StartsWith("BackupNotFound,", Assert.Single(result.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.True(File.Exists(workspace["victim.txt"]));
    }

    [Theory]
    [InlineData("full gzip")]
    [InlineData("backups.json only")]
    public void A_backup_of_the_predecessor_goes_with_its_entry_in_the_index(string form)
    {
        using var workspace = new Workspace();
        var predecessor = new PredecessorBackups(workspace.Backups);
        var keep = predecessor.Add(
            workspace.Database, PredecessorBackups.Forms["full"] with { Timestamp = new DateTime(2025, 1, 1, 0, 0, 0, DateTimeKind.Utc) });
        var gone = predecessor.Add(workspace.Database, PredecessorBackups.Forms[form]);
        Assert.Equal([gone.Id], Workspace.Ids(workspace.Run($"Remove-SHBackup {gone.Id} -Force").WithoutErrors()));

        Assert.Equal([keep.Id], workspace.Listed());
        Assert.False(File.Exists(gone.Path));
        var index = JsonNode.Parse(File.ReadAllText(Path.Combine(workspace.Backups, "backups.json")))!.AsArray();
        Assert.Equal([keep.Id], index.Select(entry => (string)entry!["backup_id"]!));
    }

    [Fact]
    public void A_chain_goes_as_a_whole_those_that_build_on_others_first()
    {
        using var workspace = new Workspace();
        var parent = workspace.MakeBackup().Id;
        var child = workspace.MakeBackup("-Type Incremental").Id;
        Assert.Equal([child, parent], Workspace.Ids(workspace.Run($"Remove-SHBackup {parent}, {child} -Force").WithoutErrors()));
    }
}
