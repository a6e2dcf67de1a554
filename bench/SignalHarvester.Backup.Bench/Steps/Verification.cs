namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>Verifies a new backup, compared with the time of making it.</summary>
internal sealed class Verification(Workspace workspace, string database, Module module) : Step
{
    private const string Backup = "New-SHBackup -NoVerify";
    private const string Full = "Test-SHBackup -Level Full";
    private const string Thorough = "Test-SHBackup -Level Full -Thorough";
    private const string Integrity = "PRAGMA integrity_check alone";
    private const string Hash = "openssl dgst -sha256 of the database";

    public override string Name => "verify";

    public override string Title => "Verification of a backup just made";

    public override IEnumerable<Contestant> Contestants()
    {
        var backups = workspace["backups"];
        yield return new Contestant
        {
            Name = Hash,
            IsBaseline = true,
            Missing = Peers.Missing("openssl"),
            Inputs = [database],
            Run = Peers.OpensslHash(database).Run,
        };
        yield return new Contestant
        {
            Name = Backup,
            Missing = module.Missing,
            Inputs = [database],
            Outputs = [backups],
            KeepsOutputs = true,
            Run = module.Backup(database, backups).Run,
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
            Name = "Test-SHBackup -Level Quick",
            Missing = module.Missing,
            Inputs = [backups],
            Run = module.Test(backups, "Quick").Run,
        };
        yield return new Contestant
        {
            Name = Thorough,
            Missing = module.Missing,
            Inputs = [backups],
            Run = module.Test(backups, "Full -Thorough").Run,
        };
        yield return new Contestant
        {
            Name = Integrity,
            Inputs = [database],
            Run = Command.Self("integrity-check", database).Run,
        };
    }

    public override IEnumerable<Line> Judge(StepResult result)
    {
        var backup = result[Backup]?.Inside?.Median;
        var rest = result[Full]?.Inside?.Median - result[Full]?.Reported(Module.IntegrityTime)?.Median;
        return
        [
            .. Line.Of("full test, whole process / openssl dgst -sha256", result.WallRatio(result[Full]), 4.5, "x"),
            .. Line.Of("full test less the check of the database / the backup itself", rest / backup, 1.5, "x"),
            .. Line.Of("full verification, peak memory", result[Full]?.PeakMemory?.Median / 1e6, 200, "MB"),
        ];
    }
}
