namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>Re-reads a stored file, compared with the unavoidable hash.</summary>
internal sealed class Scrub(Workspace workspace, string database, Module module) : Step
{
    private const string Ours = "Invoke-SHBackupScrub";

    public override string Name => "scrub";

    public override string Title => "Reading a stored backup of the database, not compressed, again";

    public override IEnumerable<Contestant> Contestants()
    {
        var backups = workspace["backups"];
        yield return new Contestant
        {
            Name = "openssl dgst -sha256",
            IsBaseline = true,
            Missing = Peers.Missing("openssl"),
            Inputs = [database],
            Run = Peers.OpensslHash(database).Run,
        };
        yield return new Contestant
        {
            Name = Ours,
            Missing = module.Missing,
            Outputs = [backups],
            Prepare = () =>
            {
                module.BackupUncompressed(database, backups).Run();
                Command.Shell($"cat {Command.Quote(backups)}/*.db > /dev/null").Run();
            },
            Run = module.Scrub(backups).Run,
        };
    }

    public override IEnumerable<Line> Judge(StepResult result)
    {
        var ratio = result[Ours]?.Inside?.Median / result.Baseline?.Wall?.Median;
        return
        [
            .. Line.Of("scrub / openssl dgst -sha256 of the same bytes (0.8 times its speed)", ratio, 1.25, "x"),
            .. Line.Of("scrub, peak memory", result[Ours]?.PeakMemory?.Median / 1e6, 200, "MB"),
        ];
    }
}
