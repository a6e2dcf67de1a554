namespace SignalHarvester.Backup.Durability.Tests.Runs;

public sealed class ParallelRunsTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public async Task Runs_at_once_into_one_directory_do_not_disturb_each_other(int runs)
    {
        const int each = 4;
        const int former = 5;
        using var folder = new TempFolder();
        var to = $"-BackupDirectory {Shbackup.Quote(folder.Folder("backups"))}";
        string[] sources = [.. Enumerable.Range(0, runs).Select(i => Databases.Create(folder[$"app{i}.db"]))];
        string BackUp(string source, int times) =>
            Shbackup.WithErrors($"1..{times} | ForEach-Object {{ New-SHBackup -LiteralPath {Shbackup.Quote(source)} {to} | ForEach-Object Id }}");
        var old = Lines(await Shbackup.RunAsync(BackUp(sources[0], former)));

        Task<ToolResult>[] backups = [.. sources.Select(source => Shbackup.RunAsync(BackUp(source, each)))];
        var listing = Shbackup.RunAsync(Shbackup.WithErrors($"1..40 | ForEach-Object {{ Get-SHBackup {to} | Where-Object {{ -not $_.Verified }} }}"));
        var removal = Shbackup.RunAsync(
            Shbackup.WithErrors($"'{string.Join("','", old)}' | ForEach-Object {{ Remove-SHBackup $_ {to} -Force | ForEach-Object Id }}"));

        string[] made = [.. (await Task.WhenAll(backups)).SelectMany(Lines)];
        Assert.Empty(Lines(await listing));
        Assert.Equal(old, Lines(await removal));
        Assert.Equal(runs * each, made.Distinct().Count());
        var left = Lines(await Shbackup.RunAsync($"Get-SHBackup {to} | Test-SHBackup | Where-Object Verified | ForEach-Object Id"));
        Assert.Equal(made.Order(StringComparer.Ordinal), left.Order(StringComparer.Ordinal));
        Assert.Equal(2 * made.Length, Directory.GetFiles(folder["backups"]).Length);
    }

    private static string[] Lines(ToolResult run) =>
        run.EnsureSuccess().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
