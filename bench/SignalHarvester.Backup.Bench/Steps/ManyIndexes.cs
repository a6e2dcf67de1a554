namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>A verified backup, and a full test, of a database of many tables with several indexes each.</summary>
internal sealed class ManyIndexes(Workspace workspace, int sizeMebibytes, Module module) : Step
{
    private const string Verified = "New-SHBackup";
    private const string Full = "Test-SHBackup -Level Full";

    public override string Name => "indexes";

    public override string Title => "40 tables with 5 indexes each";

    private string Database => workspace["indexes", "app.db"];

    public override IEnumerable<Contestant> Contestants()
    {
        string backups = workspace["backups"], zst = workspace["plain.zst"];
        yield return new Contestant
        {
            Name = "zstd -1 -T2",
            IsBaseline = true,
            Missing = Peers.Missing("zstd"),
            Inputs = [Database],
            Outputs = [zst],
            Prepare = Make,
            Run = Peers.ZstdCompress(Database, zst).Run,
        };
        yield return new Contestant
        {
            Name = "openssl dgst -sha256 of the database",
            Missing = Peers.Missing("openssl"),
            Inputs = [Database],
            Prepare = Make,
            Run = Peers.OpensslHash(Database).Run,
        };
        yield return new Contestant
        {
            Name = Verified,
            Missing = module.Missing,
            Inputs = [Database],
            Outputs = [backups],
            Prepare = Make,
            KeepsOutputs = true,
            Run = module.Backup(Database, backups, verify: true).Run,
        };
        yield return new Contestant
        {
            Name = Full,
            Missing = module.Missing,
            Inputs = [backups],
            Run = module.Test(backups, "Full").Run,
        };
        yield return new Contestant
        {
            Name = "PRAGMA integrity_check alone",
            Inputs = [Database],
            Prepare = Make,
            Run = Command.Self("integrity-check", Database).Run,
        };
    }

    public override IEnumerable<Line> Judge(StepResult result) =>
    [
        .. Line.Of("40 tables with 5 indexes each, verified, whole process / zstd -1 -T2", result.WallRatio(result[Verified]), 2.5, "x"),
        .. Line.Of("40 tables with 5 indexes each, full test, peak memory", result[Full]?.PeakMemory?.Median / 1e6, 200, "MB"),
    ];

    private void Make() => BenchDatabase.EnsureManyIndexes(Database, sizeMebibytes);
}
