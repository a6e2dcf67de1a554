using SignalHarvester.Backup.PowerShell.Tests.Support;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>If its caller ends a command, it has ended: nothing continues behind the caller's back.</summary>
public class WarningActionTests
{
    // If that were broken, it would wait for ever.
    [Fact(Timeout = 60_000)]
    public async Task WarningAction_Stop_stops_a_restore_before_it_replaces_anything()
    {
        using var workspace = new Workspace();
        var id = workspace.MakeBackup().Id;
        File.WriteAllText(workspace["dead.db"], new string('x', 4096));

        var result = await Task.Run(
            () => workspace.Run($"Restore-SHBackup {id} -Destination ./dead.db -Force -WarningAction Stop"), TestContext.Current.CancellationToken);

        Assert.Contains(result.Errors, error => error.FullyQualifiedErrorId.StartsWith("ActionPreferenceStop", StringComparison.Ordinal));
        Assert.Equal(new string('x', 4096), File.ReadAllText(workspace["dead.db"]));
        Assert.Empty(Directory.EnumerateDirectories(workspace.Folder, "shbackup-*"));
    }

    [Fact]
    public void Metadata_that_holds_itself_is_an_error()
    {
        using var workspace = new Workspace();
        var result = workspace.Run("$m = @{}; $m.self = $m; New-SHBackup ./app.db -Metadata $m");
        Assert.StartsWith("InvalidArgument,", Assert.Single(result.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Empty(workspace.Listed());
    }
}
